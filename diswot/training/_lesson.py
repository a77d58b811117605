"""One step's forward pass: what the student shows, what the teacher shows, and the loss."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_unflatten

from diswot.losses import TrainingBatch
from diswot.networks import ActivationReader, Activations, ForwardPass
from diswot.tasks import MOST_AT_ONCE, Batch
from diswot.tasks.images import ImageData

MOST_CACHED = 2**30
"""Bytes of a teacher's outputs that are kept in memory, 1 GiB."""

Teaching: TypeAlias = Callable[[Tensor, Tensor], Activations | None]
"""(images, their places in the training split) → what the teacher shows of them."""


class Lesson(nn.Module):
    """Student and criterion as one module, whose forward pass gives the losses.

    Processes that train together exchange the gradients of one module, and the readers
    see the networks within it. The teacher is no part of it, so nothing of it is trained.

    Args:
        student: the network that learns.
        criterion: the loss with its adapters.
        read: reads the student.
        teach: tells what the teacher shows.
    """

    def __init__(
        self, student: nn.Module, criterion: nn.Module, read: ActivationReader, teach: Teaching
    ) -> None:
        super().__init__()
        self.student = student
        self.criterion = criterion
        self._read = read
        self._teach = teach

    def forward(self, batch: Batch, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, and its terms with their weights."""
        (images,), labels = batch.inputs, batch.labels
        if labels is None:
            labels = batch.indices.new_empty(0)
        taught = self._teach(images, batch.indices)
        known = TrainingBatch(batch.targets, labels, batch.indices, progress)
        values = self.criterion(self._read(images), taught, known)
        return values.total, values.terms


def no_teacher(_images: Tensor, _indices: Tensor) -> None:
    """Show nothing."""


def live_teacher(read: ActivationReader) -> Teaching:
    """Run the teacher on every batch."""

    def teach(images: Tensor, _indices: Tensor) -> Activations:
        with torch.no_grad():
            return read(images)

    return teach


@dataclass(frozen=True)
class Remembered:
    """A teacher's outputs of all training images.

    Attributes:
        teach: gives them again.
        megabytes: what they take.
    """

    teach: Teaching
    megabytes: float


@torch.no_grad()
def remembered_teacher(read: ActivationReader, data: ImageData, device: str) -> Remembered | float:
    """Run the teacher once on all training images, as they are, and keep what it shows.

    Returns:
        The outputs; or, where they take more than `MOST_CACHED` bytes, the megabytes that
        they would take, infinite where something is watched that is not one row per image.
    """

    def shown(places: Tensor) -> ForwardPass:
        return read.forward(data.normalise(data.train.images[places].to(device)))

    places = torch.arange(len(data.train))
    size = len(places) * _bytes_per_image(shown(places[:2]), shown(places[:3]))
    if size > MOST_CACHED:
        return size / 1e6
    form = tree_flatten(_outputs(shown(places[:2])))[1]
    rows = [tree_flatten(_outputs(shown(part)))[0] for part in torch.split(places, MOST_AT_ONCE)]
    columns = [torch.cat(c) if isinstance(c[0], Tensor) else None for c in zip(*rows, strict=True)]
    one = shown(places[:2])
    weight, watches, unread = one.classifier_weight, tuple(one.watched), one.unread

    def teach(_images: Tensor, indices: Tensor) -> Activations:
        found = [None if column is None else column[indices] for column in columns]
        logits, features, feature_map, kept = tree_unflatten(found, form)
        watched = dict(zip(watches, kept, strict=True))
        return Activations(
            ForwardPass(logits, features, feature_map, weight, watched=watched, unread=unread)
        )

    return Remembered(teach, size / 1e6)


def _outputs(forward: ForwardPass) -> list[Any]:
    return [forward.logits, forward.features, forward.feature_map, list(forward.watched.values())]


def _bytes_per_image(of_two: ForwardPass, of_three: ForwardPass) -> float:
    """Return the bytes of one row of all outputs, which must have one row per image."""
    total = 0.0
    pairs = zip(tree_flatten(_outputs(of_two))[0], tree_flatten(_outputs(of_three))[0], strict=True)
    for two, three in pairs:
        if two is None and three is None:
            continue
        if not isinstance(two, Tensor) or (len(two), len(three)) != (2, 3):
            return math.inf
        total += two[0].nbytes
    return total


class Shown:
    """What the teacher shows of the training images, batch by batch, as often as asked for."""

    def __init__(
        self, read: ActivationReader, data: ImageData, batch_size: int, device: str, *, seed: int
    ) -> None:
        self._read, self._data, self._batch_size = read, data, batch_size
        self._device, self._seed = device, seed

    def __iter__(self) -> Iterator[Activations]:
        generator = torch.Generator().manual_seed(self._seed)
        order = torch.randperm(len(self._data.train), generator=generator)
        for places in torch.split(order, self._batch_size):
            images = self._data.train.images[places].to(self._device)
            with torch.no_grad():
                shown = self._read(self._data.normalise(images))
            yield shown  # outside, or whoever asks would compute without gradients too
