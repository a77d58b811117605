"""The normalized mean error as a metric of networks."""

from typing import cast

import torch
from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._difference import Difference, check_paired
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric
from diswot.tasks.landmarks._error import (
    Normalizer,
    bootstrap_interval,
    normalized_errors,
    normalized_mean_error,
)
from diswot.tasks.landmarks._landmark_images import LandmarkImages

NAMES = {
    "inter-ocular": "inter-ocular distance",
    "box": "points' box",
    "width": "image width",
}
"""Normalizer → its name in units."""


class NME(Metric):
    """Mean distance of an image's points from the truth, in percent of a normalizer.

    Intervals are percentile bootstraps over images; over persons where they are known, since
    images of one person are not independent.

    Args:
        normalizer: key of `NORMALIZERS`.
        width: width of the images in pixels.
        height: height of the images in pixels.
    """

    name = "NME"
    higher_is_better = False

    def __init__(self, normalizer: Normalizer, width: int, height: int) -> None:
        self._normalizer: Normalizer = normalizer
        self._width, self._height = width, height
        self.unit = f"% of the {NAMES[normalizer]}"

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the error of each image in percent of its normalizer, shape (B,)."""
        predicted, truth = self._pixels(output), self._pixels(batch.targets)
        return 100 * normalized_errors(
            predicted, truth, normalizer=self._normalizer, width=self._width
        )

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return the mean error with its 95 % interval."""
        return normalized_mean_error(values, groups=_persons(dataset, split), unit=self.unit)

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return the mean of `one − other` with its 95 % bootstrap interval."""
        check_paired(one, other)
        result = one.double() - other.double()
        low, high = bootstrap_interval(result, groups=_persons(dataset, split))
        return Difference(float(result.mean()), low, high, self.unit)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether a network is not significantly better than the mean training shape.

        That is the case if the 95 % interval of the difference of errors includes 0.
        """
        return self.difference(values, self.of_mean_shape(dataset, split), dataset, split).high >= 0

    def of_mean_shape(self, dataset: Examples, split: SplitName) -> Tensor:
        """Return the errors, shape (n,), of predicting the training split's mean shape."""
        data = cast(LandmarkImages, dataset)
        mean = data.coordinates(data.train.points).mean(dim=0)
        truth = data.coordinates(data.split(split).points)
        batch = Batch((), truth, None, torch.arange(len(truth)))
        return self.values(mean.expand_as(truth), batch)

    def _pixels(self, coordinates: Tensor) -> Tensor:
        """Convert normalized coordinates (B, 2K) to pixels, float64 of shape (B, K, 2)."""
        points = coordinates.double().reshape(len(coordinates), -1, 2) + 0.5
        return points * points.new_tensor([self._width, self._height])


def _persons(dataset: Examples, split: SplitName) -> Tensor | None:
    return cast(LandmarkImages, dataset).split(split).persons
