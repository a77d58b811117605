"""Images, split into what is trained on, selected on and evaluated on."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diswot.tasks._accuracy import Top1
from diswot.tasks._batch import Batch
from diswot.tasks._dataset import Changes, Dataset, SplitName, TrainingBatches
from diswot.tasks._holding_out import divided, held_out_of
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks.images._classes import described
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._training_batches import ImageBatches
from search_spaces import Signature


@dataclass(frozen=True, eq=False)
class Split:
    """Images (n, C, H, W), uint8 or float, in memory or mapped from a file; classes (n,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> "Split":
        """Return the images at `indices`, in memory."""
        return Split(self.images[indices], self.labels[indices])

    def content(self) -> Iterator[NDArray[Any]]:
        """Yield what a digest of the images and their classes is computed from."""
        yield from (self.images.numpy(), self.labels.numpy())


@dataclass(frozen=True, eq=False)
class ImageData:
    """A classification dataset.

    Attributes:
        name: what it is called in manifests.
        train: what networks are trained on and scored with.
        val: what choices (the best epoch) are made on.
        test: what the result is evaluated on, and nothing else.
        spec: shape, classes and normalization of the images.
        flips: whether a mirrored image is an image of the same class.
        classes: their names, where they are known.
        notes: what was inferred, converted or left out, for people.
        originals: the files of each split (`train`, `val`, `test`), where there are such.
        source: what loads it again, where that is known.
        depth: bits in use of gray images of more than 8 bits, by which they were scaled to 8.
        teacher_view: what teachers of larger images are given in trainings: `own` for the
            original photos, `student` for the students' images, `auto` for the former where it
            is possible.
        loader_workers: processes that read training images which are streamed; by default one
            less than there are cores, and at most 8.
    """

    name: str
    train: Split
    val: Split
    test: Split
    spec: ImageSpec
    flips: bool = True
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    originals: Mapping[str, Originals] = field(default_factory=dict)
    source: Source | None = None
    depth: int = 16
    teacher_view: str = "auto"
    loader_workers: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of one image."""
        return self.spec.shape

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self.spec.num_classes

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images, labels and the normalization."""
        content = hashlib.sha256(repr((self.spec, self.flips)).encode())
        for split in (self.train, self.val, self.test):
            for part in split.content():
                content.update(np.ascontiguousarray(part).data)
        return content.hexdigest()

    def with_provenance(
        self,
        *,
        originals: Mapping[str, Originals] | None = None,
        source: Source | None = None,
        digest: str | None = None,
    ) -> "ImageData":
        """Return the same images with what is known of where they are from.

        Args:
            originals: the files of each split; by default as before.
            source: what loads the data again; by default as before.
            digest: of the images, where it was computed earlier: a digest that is known is
                kept, so that not all images are read for it again.
        """
        found = replace(
            self,
            originals=self.originals if originals is None else originals,
            source=source or self.source,
        )
        known = digest or vars(self).get("digest")
        if known is not None:
            vars(found)["digest"] = known  # where a cached property keeps its value
        return found

    def normalize(self, images: Tensor) -> Tensor:
        """Return images (n, C, H, W) as networks take them: float32, standardized."""
        mean, std = (
            torch.tensor(values, device=images.device).view(-1, 1, 1)
            for values in (self.spec.mean, self.spec.std)
        )
        return (images.float() / self.spec.scale - mean) / std

    normalise = normalize
    """The name of version 0.1.0."""

    @property
    def signature(self) -> Signature:
        """What networks take and give; `facts` hold the normalization."""
        return self.spec.signature

    @property
    def task(self) -> Task:
        """Classification of images."""
        return find_task("images")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The accuracy."""
        return (Top1(),)

    def size(self, split: SplitName) -> int:
        """Return how many images a split has."""
        return len(self.split(split))

    def split(self, name: SplitName) -> Split:
        """Return the images and classes of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return images of a split, standardized, with their classes as targets."""
        found = self.split(split).take(indices)
        images, labels = self.normalize(found.images.to(device)), found.labels.to(device)
        return Batch((images,), labels, labels, indices.to(device))

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> TrainingBatches:
        """Return batches of the training images, augmented and mixed.

        Raises:
            OptionError: a teacher is to have its own view and cannot.
        """
        from diswot.tasks.images._streamed import StreamedSplit
        from diswot.tasks.images._streamed_batches import StreamedBatches
        from diswot.tasks.images.teachers import photo_views

        kind = StreamedBatches if isinstance(self.train, StreamedSplit) else ImageBatches
        return kind(self, changes, device, photo_views(self, teachers or {}))

    def for_teacher(self, teacher: str) -> "ImageData":  # noqa: ARG002
        """Return what a teacher is trained on: these images."""
        return self

    def summary(self) -> str:
        """One line for people: sizes, shape and classes."""
        channels, height, width = self.shape
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test images of {channels}×{height}×{width}, "
            f"{self.num_classes} classes"
        )

    def class_summary(self) -> tuple[str, ...]:
        """Lines for people: names of the classes with their images in each split."""
        return tuple(described(self))


def batches(
    split: Split, size: int, generator: torch.Generator | None = None, *, drop_last: bool = False
) -> Iterator[Split]:
    """Go through `split` once in batches, in an order drawn from `generator` where given."""
    count = len(split)
    order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
    stop = count - count % size if drop_last and count >= size else count
    for start in range(0, stop, size):
        yield split.take(order[start : start + size])


def held_out(split: Split, count: int, seed: int) -> tuple[Split, Split]:
    """Divide `split` at random into the rest and `count` images, classes in proportion.

    Raises:
        DataError: there are too few images for that.
    """
    rest, held = divided(split.labels, count, seed)
    return split.take(torch.from_numpy(rest)), split.take(torch.from_numpy(held))


def with_fewer(data: Dataset, train_images: int | None) -> Dataset:
    """Return images with so many to train on, drawn at random, classes in proportion.

    Args:
        data: images; where there are no more of them, they are returned as they are.
        train_images: how many; `None` for all.
    """
    if not isinstance(data, ImageData) or not 0 < (train_images or 0) < len(data.train):
        return data
    return replace(data, train=held_out(data.train, train_images or 0, seed=0)[1])


def held_out_part(
    split: Split, part: int, seed: int, *, classes: Sequence[str] | None = None
) -> tuple[Split, Split]:
    """Divide `split` at random into the rest and one in `part` images, at least one per class.

    Raises:
        DataError: a class has too few images for that.
    """
    rest, held = held_out_of(split.labels, part, seed, classes=classes)
    return split.take(torch.from_numpy(rest)), split.take(torch.from_numpy(held))
