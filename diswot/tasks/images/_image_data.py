"""Images, split into what is trained on, selected on and evaluated on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from diswot.tasks._accuracy import Top1
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._task import Dataset, Task
from diswot.tasks._tasks import find_task
from diswot.tasks.images._classes import described
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._split import Split, held_out
from diswot.tasks.images._streamed_batches import StreamedBatches
from diswot.tasks.images._streamed_split import StreamedSplit
from diswot.tasks.images._training_batches import ImageBatches
from diswot.tasks.images.teachers import photo_views
from search_spaces import Signature


@dataclass(frozen=True, eq=False)
class ImageData(LabeledImages):
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


def with_fewer(data: Dataset, train_images: int | None) -> Dataset:
    """Return images with so many to train on, drawn at random, classes in proportion.

    Args:
        data: images; where there are no more of them, they are returned as they are.
        train_images: how many; `None` for all.
    """
    if not isinstance(data, ImageData) or not 0 < (train_images or 0) < len(data.train):
        return data
    return replace(data, train=held_out(data.train, train_images or 0, seed=0)[1])
