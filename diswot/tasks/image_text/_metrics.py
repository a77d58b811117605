"""Metrics of image-text networks: zero-shot accuracy, and retrieval of captions."""

from dataclasses import replace

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks._accuracy import accuracy, paired_difference
from diswot.tasks._batch import Batch
from diswot.tasks._bootstrap import Counts, percentile_interval, resamples
from diswot.tasks._class_balance import class_labels
from diswot.tasks._difference import Difference, mean_difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric
from diswot.tasks.image_text._losses import cosines

TIMES_CHANCE = 3
"""A network is near chance if the interval of its accuracy reaches this many times chance."""


class ZeroShot(Metric):
    """Zero-shot accuracy: share of images closest to the text embedding of their class.

    It is the mean over the classes of their accuracies. On the validation split the classes are
    seen ones, on the test split unseen ones.

    Args:
        language: language of the class names.
        first: whether this is the language of training, whose name is left out of the metric's.
    """

    def __init__(self, language: str, *, first: bool = True) -> None:
        self.language = language
        self.name = "zero-shot accuracy" + ("" if first else f" ({language})")

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return the mean of the classes' accuracies, with its 95 % interval.

        The interval is Wilson's if all classes have equally many images, and otherwise the
        percentile interval of a bootstrap over images.
        """
        labels = class_labels(dataset, split)
        counts = labels.bincount()
        present = counts[counts > 0]
        if bool((present == present[0]).all()):
            result = accuracy(int(values.sum()), len(values))
            return replace(result, name=self.name)
        cells = (2 * labels + values.long()).bincount(minlength=2 * len(counts)).double().numpy()
        drawn = np.concatenate([_mean_of_classes(part) for part in resamples(cells)])
        value = float(_mean_of_classes(cells[None])[0])
        low, high = percentile_interval(value, drawn)
        return Measure(self.name, value, low, high, len(values), unit="%")

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return the paired difference of two accuracies, with its 95 % interval.

        Source: Agresti and Min, see `paired_difference`; if classes differ in their numbers of
        images, Student's t of differences that are weighted as in the mean over classes.
        """
        labels = class_labels(dataset, split)
        counts = labels.bincount().double()
        weights = len(labels) / (counts[labels] * (counts > 0).sum())
        if bool((weights == weights[0]).all()):
            return paired_difference(one, other)
        return mean_difference(one.double() * weights, other.double() * weights)

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return 1 for each correctly classified image, else 0: (B,).

        Args:
            output: image embeddings (B, D).
            batch: images whose targets have text embeddings.
        """
        texts = batch.targets["texts"][self.language]
        nearest = cosines(output, texts).argmax(dim=1)
        return nearest.eq(batch.targets["labels"]).double()

    def same(self, output: Tensor, reference: Tensor, *, tolerance: float) -> Tensor:
        """Return whether two embeddings of each image have the same direction: booleans (B,)."""
        ours, theirs = (F.normalize(item, dim=1) for item in (output, reference))
        return (ours - theirs).abs().amax(dim=1) <= 10 * tolerance

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the interval reaches three times the accuracy of guessing."""
        classes: int = dataset.signature.facts["classes"]["unseen" if split == "test" else "seen"]
        return self.summarize(values, dataset, split).low < TIMES_CHANCE / classes


class Retrieval(Metric):
    """Share of images whose closest caption in the batch describes their class (recall at 1)."""

    name = "retrieval in batches"

    def summarize(self, values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Return the share with its 95 % Wilson interval."""
        return replace(accuracy(int(values.sum()), len(values)), name=self.name)

    def difference(
        self, one: Tensor, other: Tensor, _dataset: Examples, _split: SplitName
    ) -> Difference:
        """Return the paired difference of two shares, see `paired_difference`."""
        return paired_difference(one, other)

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return 1 for each image whose closest caption belongs to its class: (B,).

        Args:
            output: image and text embeddings side by side (B, 2·D).
            batch: the pairs.
        """
        images, texts = output.chunk(2, dim=1)
        labels: Tensor = batch.targets["labels"]
        return labels[cosines(images, texts).argmax(dim=1)].eq(labels).double()

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the interval reaches three times the accuracy of guessing."""
        batch = min(dataset.size(split), 250)
        return self.summarize(values, dataset, split).low < TIMES_CHANCE / batch


def _mean_of_classes(cells: Counts) -> Counts:
    """Return the mean accuracy of the classes that have images: (draws,).

    Args:
        cells: images of each class that are classified incorrectly and correctly, alternating:
            (draws, 2·classes).
    """
    pairs = cells.reshape(len(cells), -1, 2)
    totals = pairs.sum(axis=2)
    shares = pairs[..., 1] / np.maximum(totals, 1)
    return np.asarray(shares.sum(axis=1) / np.maximum((totals > 0).sum(axis=1), 1))
