"""Image classification data: training, validation and test images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from torch import Tensor, nn

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
    """An image classification dataset with three splits.

    Attributes:
        name: name in manifests.
        train: training images, on which networks are trained and scored.
        val: validation images, on which choices such as the best epoch are made.
        test: test images, on which only results are evaluated.
        spec: shape, classes and normalization of the images.
        flips: whether a horizontal flip keeps the class of an image.
        classes: names of the classes; `None` if unknown.
        notes: what was inferred, converted or left out, as text.
        originals: split (`train`, `val`, `test`) → its image files, if there are any.
        source: name and options with which the data can be loaded again, if known.
        depth: number of used bits of gray images with more than 8 bits, which are scaled to 8.
        teacher_view: images for teachers that are trained on larger ones: `own` for the original
            photos at the teacher's size, `student` for the students' images, `auto` for `own` if
            possible.
        loader_workers: number of processes that read streamed training images; by default the
            number of cores minus one, at most 8.
    """

    batches_in_memory: ClassVar[type[ImageBatches]] = ImageBatches
    """Source of training batches of images that are not streamed."""

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
        """Return a copy with other metadata about the images' source.

        Args:
            originals: split → its image files; by default unchanged.
            source: how to load the data again; by default unchanged.
            digest: digest of the images if it is known; else that of `self` is kept if it was
                computed, since computing it reads all images.
        """
        result = replace(
            self,
            originals=self.originals if originals is None else originals,
            source=source or self.source,
        )
        known = digest or vars(self).get("digest")
        if known is not None:
            vars(result)["digest"] = known  # where `cached_property` stores its value
        return result

    @property
    def signature(self) -> Signature:
        """Signature of classifiers; its `facts` contain the normalization."""
        return self.spec.signature

    @property
    def task(self) -> Task:
        """The task `images`."""
        return find_task("images")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def size(self, split: SplitName) -> int:
        """Return the number of images of a split."""
        return len(self.split(split))

    def split(self, name: SplitName) -> Split:
        """Return the images and classes of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def class_labels(self, split: SplitName) -> Tensor:
        """Return the classes (n,) of a split, without reading its images."""
        return self.split(split).labels

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return normalized images (B, C, H, W) of a split, with their classes (B,) as targets."""
        examples = self.split(split).take(indices)
        images, labels = self.normalize(examples.images.to(device)), examples.labels.to(device)
        return Batch((images,), labels, labels, indices.to(device))

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> TrainingBatches:
        """Return an iterable source of augmented and mixed training batches.

        Raises:
            OptionError: `teacher_view` is `own`, but a teacher or the data do not allow it.
        """
        kind = StreamedBatches if isinstance(self.train, StreamedSplit) else self.batches_in_memory
        return kind(self, changes, device, photo_views(self, teachers or {}))

    def for_teacher(self, teacher: str) -> "ImageData":  # noqa: ARG002
        """Return the data on which a teacher is trained: these images."""
        return self

    def summary(self) -> str:
        """Return one line with sizes of splits, shape and number of classes."""
        channels, height, width = self.shape
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test images of {channels}×{height}×{width}, "
            f"{self.num_classes} classes"
        )

    def class_summary(self) -> tuple[str, ...]:
        """Return lines with the classes and their numbers of images in each split."""
        return tuple(described(self))


def with_fewer(data: Dataset, train_images: int | None) -> Dataset:
    """Return the data with a random, stratified subset of the training images.

    Args:
        data: dataset; other datasets than `ImageData` and smaller ones are returned unchanged.
        train_images: number of training images; `None` for all.
    """
    if not isinstance(data, ImageData) or not 0 < (train_images or 0) < len(data.train):
        return data
    return replace(data, train=held_out(data.train, train_images or 0, seed=0)[1])
