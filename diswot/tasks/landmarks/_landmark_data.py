"""Datasets of the task `landmarks`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks.landmarks._batches import LandmarkBatches
from diswot.tasks.landmarks._landmark_images import LandmarkImages
from diswot.tasks.landmarks._shape_model import ShapeModel
from search_spaces import Signature, TensorSpec

TEACHERS = ("tough", "tolerant")
"""The tough teacher is trained on the original points, the tolerant one on smoothed ones."""

KEPT_VARIANCE = 0.9
"""Share of the variance of shapes that is kept by smoothing."""


@dataclass(frozen=True, eq=False)
class LandmarkData(LandmarkImages):
    """A landmark dataset with three splits.

    Networks return coordinates normalized to the image, x/width − 1/2 and y/height − 1/2:
    x and y of the first point, x and y of the second, and so on.

    Attributes:
        name: name in manifests.
        train: training images, on which networks are trained and scored.
        val: validation images, on which choices such as the best epoch are made.
        test: test images, on which only results are evaluated.
        normalizer: divisor of errors: `inter-ocular`, `box` or `width`.
        mirror: for each point, the index of its counterpart in a flipped image; `None` if
            unknown, so that images are not flipped.
        rows: whether points are bound to rows of the image, so that images are translated and
            scaled horizontally only.
        crop: margin of the images around their points' box, as a share of its longer side;
            `None` for uncropped images.
        notes: what was inferred or converted, as text.
        source: name and options with which the data can be loaded again, if known.
    """

    @property
    def task(self) -> Task:
        """The task `landmarks`."""
        return find_task("landmarks")

    @cached_property
    def signature(self) -> Signature:
        """Signature of networks; its `facts` contain normalization, normalizer and crop."""
        facts = {**self.pixels, "normalizer": self.normalizer, "crop": self.crop}
        return Signature((TensorSpec("images", self.shape),), 2 * self.num_points, facts)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all images, points and persons."""
        content = hashlib.sha256(repr((self.normalizer, self.mirror, self.rows)).encode())
        for split in (self.train, self.val, self.test):
            for tensor in (split.images, split.points, split.persons):
                if tensor is not None:
                    content.update(repr((tensor.shape, tensor.dtype)).encode())
                    content.update(np.ascontiguousarray(tensor.numpy()).data)
        return content.hexdigest()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def size(self, split: SplitName) -> int:
        """Return the number of images of a split."""
        return len(self.split(split))

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return normalized images (B, C, H, W) of a split, with coordinates (B, 2K) as targets."""
        examples = self.split(split).take(indices)
        images = self.normalize(examples.images.to(device))
        targets = self.coordinates(examples.points.to(device))
        return Batch((images,), targets, None, indices.to(device))

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return a source of augmented training batches.

        Raises:
            OptionError: `changes` have label smoothing, mixup or CutMix.
        """
        return LandmarkBatches(self, changes, device)

    def for_teacher(self, teacher: str) -> "LandmarkData":
        """Return the data on which a teacher is trained.

        Args:
            teacher: `tough`: these data; `tolerant`: data whose training points are smoothed by a
                [`ShapeModel`][diswot.tasks.landmarks.ShapeModel].

        Raises:
            OptionError: there is no such teacher.
        """
        if teacher not in TEACHERS:
            raise OptionError(f"Expected a teacher of {', '.join(TEACHERS)}, but got {teacher!r}")
        if teacher == "tough":
            return self
        hard = self.train.points.flatten(1)
        soft = ShapeModel.fit(hard, fraction=KEPT_VARIANCE).smooth(hard)
        points = soft.view_as(self.train.points)
        return replace(self, name=f"{self.name}-smoothed", train=replace(self.train, points=points))

    def summary(self) -> str:
        """Return one line with sizes of splits, shape and number of points."""
        channels, height, width = self.shape
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test images of {channels}×{height}×{width}, "
            f"{self.num_points} points"
        )
