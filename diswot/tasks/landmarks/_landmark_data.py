"""Images with points as a dataset of the task of landmarks."""

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
from diswot.tasks.landmarks._nme import NME
from diswot.tasks.landmarks._shape_model import ShapeModel
from search_spaces import Signature, TensorSpec

TEACHERS = ("tough", "tolerant")
"""The tough teacher learns the points themselves, the tolerant one smoothed ones."""

KEPT_VARIANCE = 0.9
"""Share of the variance of shapes that smoothed points keep."""


@dataclass(frozen=True, eq=False)
class LandmarkData(LandmarkImages):
    """A dataset of landmarks.

    Networks return coordinates normalized to the image, x/width − 1/2 and y/height − 1/2:
    x and y of the first point, x and y of the second, and so on.

    Attributes:
        name: what it is called in manifests.
        train: what networks are trained on and scored with.
        val: what choices (the best epoch) are made on.
        test: what the result is evaluated on, and nothing else.
        normalizer: what errors are divided by.
        mirror: which point each point is in a mirrored image; `None` where that is not known,
            so that images are not mirrored.
        rows: whether points belong to rows of the image, so that images are moved and scaled
            along rows alone.
        crop: how far images reach beyond the box of their points, as a share of its longer
            side; `None` of whole images.
        notes: what was inferred or converted, for people.
        source: what loads it again, where that is known.
    """

    @property
    def task(self) -> Task:
        """Regression of points."""
        return find_task("landmarks")

    @cached_property
    def signature(self) -> Signature:
        """What networks take and give; `facts` hold the normalization of pixels and errors."""
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
        """The normalized mean error."""
        _, height, width = self.shape
        return (NME(self.normalizer, width, height),)

    def size(self, split: SplitName) -> int:
        """Return how many images a split has."""
        return len(self.split(split))

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return images of a split, standardized, with normalized coordinates as targets."""
        found = self.split(split).take(indices)
        images = self.normalize(found.images.to(device))
        targets = self.coordinates(found.points.to(device))
        return Batch((images,), targets, None, indices.to(device))

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return batches of the training images, moved, scaled and mirrored.

        Raises:
            OptionError: labels are to be smoothed or images to be mixed.
        """
        return LandmarkBatches(self, changes, device)

    def for_teacher(self, teacher: str) -> "LandmarkData":
        """Return what a teacher is trained on.

        Args:
            teacher: `tough`: these data; `tolerant`: the training points without what is rare
                among training shapes, see [`ShapeModel`][diswot.tasks.landmarks.ShapeModel].

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
        """One line for people: sizes, shape and points."""
        channels, height, width = self.shape
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test images of {channels}×{height}×{width}, "
            f"{self.num_points} points"
        )
