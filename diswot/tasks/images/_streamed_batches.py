"""Batches of streamed training images, decoded and augmented in loader processes."""

import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Generator, Iterable, Mapping
from functools import partial
from itertools import tee
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from diswot.errors import DataError, RunError, first_line
from diswot.options import MOST_LOADER_WORKERS
from diswot.seeding import seed_for, seed_torch
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._streamed_examples import Chosen, Found, StreamedExamples
from diswot.tasks.images._training_batches import ImageBatches, moved
from diswot.tasks.images.teachers import PhotoView


class StreamedBatches(ImageBatches):
    """Training batches of streamed images.

    The augmentation of an image depends only on a seed and its index: not on its batch, nor on
    the process that reads it. Mixing is drawn per batch.

    Args:
        data: data with streamed training images.
        changes: augmentation and mixing.
        device: device of the batches.
        views: teacher → its own view of the photos, for teachers that have one.
    """

    def __init__(
        self,
        data: LabeledImages,
        changes: Changes,
        device: str,
        views: Mapping[str, PhotoView] | None = None,
    ) -> None:
        super().__init__(data, changes, device, views)
        teachers = {name: view.teacher.without_network() for name, view in (views or {}).items()}
        self._examples = StreamedExamples(data, changes.augment, teachers)
        self._workers = data.loader_workers

    def __call__(self, indices: Tensor) -> Batch:
        """Return the batch of images at `indices` (B,), read in threads of this process."""
        seed = int(torch.randint(2**62, ()))
        return self._finished(indices, self._examples.__getitems__(_chosen(indices, seed)))

    def epoch(
        self, shares: Iterable[tuple[Tensor, int]], *, seed: int
    ) -> Generator[Batch, None, None]:
        """Yield batches that loader processes prefetch; the processes end with the iterator."""
        # The loader reads ahead of training, so both iterate over the same indices.
        asked, needed = tee(shares)
        ahead = _read_ahead(
            self._examples, (_chosen(places, seed) for places, _ in asked), self._workers
        )
        try:
            for (places, own), found in zip(needed, ahead, strict=True):
                seed_torch(own)
                yield self._finished(places, found)
        finally:
            ahead.close()

    def _finished(self, indices: Tensor, found: Found) -> Batch:
        if isinstance(found, DataError):
            raise found
        images, views = found
        own = {name: partial(torch.from_numpy, view) for name, view in views.items()}
        return self._batch(indices, moved(torch.from_numpy(images), self._device), own)


def _chosen(indices: Tensor, seed: int) -> list[Chosen]:
    """Return (index, seed of its augmentation) for each image."""
    return [(index, seed_for(seed, index)) for index in indices.tolist()]


def _read_ahead(
    examples: StreamedExamples, batches: Iterable[list[Chosen]], workers: int | None
) -> Generator[Found, None, None]:
    """Yield batches in order from loader processes, which end with the iterator.

    Raises:
        RunError: a loader process was killed.
    """
    cores = os.cpu_count() or 1
    count = min(MOST_LOADER_WORKERS, cores - 1) if workers is None else workers
    # fork shares the list of files; other start methods would copy it into each process
    forks = count > 0 and sys.platform == "linux"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="This DataLoader will create")
        loader: DataLoader[Any] = DataLoader(
            examples,
            batch_sampler=batches,
            collate_fn=_as_it_is,
            num_workers=count,
            multiprocessing_context=multiprocessing.get_context("fork") if forks else None,
            generator=torch.Generator(),  # keeps the global generator unchanged
        )
    reading = _started(loader)
    try:
        while (found := next(reading, None)) is not None:
            yield found
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RunError(
            f"a process that reads images ended ({first_line(error)}): memory may be short; take "
            "fewer --loader-workers"
        ) from error
    finally:
        if count > 0:  # else only when the iterator is garbage-collected
            reading._shutdown_workers()


def _started(loader: "DataLoader[Any]") -> Any:
    """Start the loader processes with SIGINT blocked, so that only this one handles Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        return iter(loader)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_it_is(found: Any) -> Any:
    return found
