"""Mean average precision, and the difference of two, with 95 % intervals."""

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.tasks._accuracy import near_chance
from diswot.tasks._average_precision import average_precision
from diswot.tasks._batch import Batch
from diswot.tasks._difference import NORMAL, Difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._label_metrics import LabelMetrics
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric
from diswot.tasks.images._image_data import ImageData
from search_spaces import Signature


class MeanAveragePrecision(Metric):
    """Mean over labels of the average precision (mAP).

    Labels that no image of a split has are left out of the mean. Intervals come from the
    infinitesimal jackknife over images, see `average_precision`: the mean of the labels'
    influences gives the standard error, and the interval is the normal one. It covers the
    choice of images, not of the seed.
    """

    name = "mAP"

    def shape(self, signature: Signature) -> tuple[int, ...]:
        """Return (labels,): the values of an image are its logits."""
        return (signature.outputs,)

    def values(self, output: Tensor, _batch: Batch) -> Tensor:
        """Return the logits (B, labels)."""
        return output

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return the mAP with its 95 % interval.

        Args:
            values: logits for all images of a split (n, labels).
            dataset: multi-label images.
            split: which split.
        """
        present = present_labels(dataset, split)
        value, influence = _mean(values.double().numpy(), present)
        low, high = _interval(value, influence)
        return Measure(self.name, value, max(low, 0.0), min(high, 1.0), len(values), self.unit)

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return the mAP of `one` minus that of `other`, paired by image.

        Args:
            one: logits of one network for all images of a split (n, labels).
            other: logits of another network for the same images (n, labels).
            dataset: multi-label images.
            split: which split.

        Raises:
            ValueError: they have different shapes, or are empty.
        """
        if one.shape != other.shape or not len(one):
            raise ValueError(
                f"Expected logits of the same images, but got {tuple(one.shape)} and "
                f"{tuple(other.shape)}"
            )
        present = present_labels(dataset, split)
        (first, ours), (second, theirs) = (
            _mean(each.double().numpy(), present) for each in (one, other)
        )
        return Difference(first - second, *_interval(first - second, ours - theirs))

    def class_metrics(self, values: Tensor, dataset: Examples, split: SplitName) -> LabelMetrics:
        """Return the average precision, and metrics at a probability of 0.5, of each label."""
        mean = self.summarize(values, dataset, split)
        names = cast(ImageData, dataset).classes
        present = present_labels(dataset, split)
        return LabelMetrics.of(values.double().numpy(), present, mean, names=names)

    def rounding(self, measure: Measure, outputs: Sequence[Tensor], *, tolerance: float) -> float:
        """Return the share of scores whose order within their label rounding may change.

        Args:
            measure: the mAP.
            outputs: logits of all images, batch by batch, each (B, labels).
            tolerance: accepted change of logits, relative to the largest.
        """
        scores = torch.cat(list(outputs)).sort(dim=0).values
        gaps = scores.diff(dim=0)
        near = gaps <= 2 * tolerance * scores.abs().max().clamp_min(1)
        share = float(near.double().mean()) if len(gaps) else 0.0
        return share + super().rounding(measure, outputs, tolerance=tolerance)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the mAP is not clearly above that of constant scores.

        The average precision of constant scores is the share of images with the label.
        """
        present = present_labels(dataset, split)
        shares = present.mean(axis=0)
        chance = float(shares[shares > 0].mean())
        return near_chance(self.summarize(values, dataset, split).low, chance)


def present_labels(dataset: Examples, split: SplitName) -> NDArray[np.bool_]:
    """Return whether each image of a split has each label (n, labels)."""
    return cast(ImageData, dataset).split(split).labels.numpy() > 0


def _mean(
    scores: NDArray[np.float64], present: NDArray[np.bool_]
) -> tuple[float, NDArray[np.float64]]:
    """Return the mAP and the influence of each image (n,) on it."""
    used = np.flatnonzero(present.any(axis=0))
    found = [average_precision(scores[:, label], present[:, label]) for label in used]
    influence = np.mean([each.influence for each in found], axis=0)
    return float(np.mean([each.value for each in found])), influence


def _interval(value: float, influence: NDArray[np.float64]) -> tuple[float, float]:
    """Return the ends of the 95 % interval around a value."""
    count = len(influence)
    error = math.sqrt(float(np.square(influence).sum()) * count / max(count - 1, 1))
    return value - NORMAL * error, value + NORMAL * error
