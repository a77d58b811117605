"""Accuracy of classifiers, and the difference of two accuracies, with 95 % intervals."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._class_balance import class_labels
from diswot.tasks._difference import NORMAL, Difference, check_paired
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric

LEAST_KAPPA = 0.02
"""Lower end of kappa's interval above which a classifier counts as better than chance."""


class Top1(Metric):
    """Top-1 accuracy: fraction of examples whose highest output is that of their class."""

    name = "accuracy"
    classifies = True

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return 1 for each correctly classified example, else 0: (B,).

        Args:
            output: logits (B, classes).
            batch: examples with labels (B,).
        """
        if batch.labels is None:
            raise ValueError("Expected examples with labels, but got none")
        return output.argmax(1).eq(batch.labels).double()

    def summarize(self, values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Return the accuracy with its 95 % Wilson interval.

        The interval covers the choice of examples, not of the seed.
        """
        return accuracy(int(values.sum()), len(values))

    def difference(
        self, one: Tensor, other: Tensor, _dataset: Examples, _split: SplitName
    ) -> Difference:
        """Return the paired difference of two accuracies, see `paired_difference`."""
        return paired_difference(one, other)

    def same(self, output: Tensor, reference: Tensor, *, tolerance: float) -> Tensor:
        """Return whether two forms of a network predict the same class: booleans (B,).

        Examples whose two highest outputs differ by no more than the tolerance count as equal.

        Args:
            output: logits of one form (B, classes).
            reference: logits of the original network (B, classes).
            tolerance: accepted difference of outputs, relative to the largest.
        """
        return output.argmax(1).eq(reference.argmax(1)) | (_margins(reference) <= 2 * tolerance)

    def rounding(
        self,
        measure: Measure,  # noqa: ARG002  (images that are close count, whatever the accuracy)
        outputs: Sequence[Tensor],
        *,
        tolerance: float,
    ) -> float:
        """Return the fraction of examples whose two highest outputs differ within the tolerance.

        Args:
            measure: the accuracy.
            outputs: logits of all examples, batch by batch.
            tolerance: accepted difference of outputs, relative to the largest.
        """
        margins = torch.cat([_margins(output) for output in outputs])
        return float((margins <= tolerance).double().mean())

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the accuracy is not clearly above that of the most frequent class.

        Chance is the share of the most frequent class, which a constant prediction reaches, and
        at least 1/k for k classes. See `near_chance`.

        Args:
            values: 1 or 0 for all examples of the split (n,).
            dataset: the dataset.
            split: which split.
        """
        labels = class_labels(dataset, split)
        most_frequent = float(labels.bincount().max()) / len(labels)
        chance = max(most_frequent, 1 / dataset.signature.outputs)
        return near_chance(self.summarize(values, dataset, split).low, chance)


class Agreement(Top1):
    """Fraction of examples for which a network predicts the class that its teacher predicts.

    The classes of the data must be the teacher's predictions, because there are no labels. For
    the same reason there are no metrics per class.
    """

    name = "agreement with the teacher"
    classifies = False

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return the agreement with its 95 % Wilson interval."""
        return replace(super().summarize(values, dataset, split), name=self.name)


def near_chance(low: float, chance: float) -> bool:
    """Return whether the lower end of an interval is not clearly above chance.

    The criterion is kappa, (low − chance) / (1 − chance): below 0.02 is near chance. Source:
    Cohen, "A coefficient of agreement for nominal scales", 1960.

    Args:
        low: lower end of the 95 % interval of a metric with the maximum 1.
        chance: the metric of predictions without knowledge of the inputs.

    Examples:
        >>> near_chance(0.505, 0.5), near_chance(0.6, 0.5), near_chance(1.0, 1.0)
        (True, False, True)
    """
    return chance == 1 or (low - chance) / (1 - chance) < LEAST_KAPPA


def _margins(outputs: Tensor) -> Tensor:
    """Return the difference of the two highest outputs, relative to the largest magnitude: (B,)."""
    if outputs.shape[1] < 2:
        return torch.full((len(outputs),), torch.inf)
    first, second = outputs.topk(2, dim=1).values.unbind(1)
    return (first - second) / outputs.abs().max().clamp_min(1)


def accuracy(correct: int, total: int) -> Measure:
    """Return an accuracy with its 95 % Wilson interval.

    Args:
        correct: number of correctly classified examples.
        total: number of examples.

    Examples:
        >>> str(accuracy(90, 100))
        '90.0 % [82.6, 94.5]'
    """
    # Imported here to keep commands that evaluate nothing fast to start.
    from scipy.stats import binomtest

    interval = binomtest(correct, total).proportion_ci(method="wilson")
    return Measure(
        Top1.name, correct / total, float(interval.low), float(interval.high), total, unit="%"
    )


def paired_difference(one: Tensor, other: Tensor) -> Difference:
    """Return the accuracy of `one` minus that of `other`, with its 95 % interval.

    With b of n images that only the first network classifies correctly and c that only the
    second does, the difference is (b − c) / n. The interval is Wald's after adding half an
    example to each of the four cells:
    (b − c) / (n + 2) ± z · √(b + c + 1 − (b − c)² / (n + 2)) / (n + 2). Because examples are
    paired, it is narrower than two separate intervals suggest.

    Source: Agresti and Min, "Simple improved confidence intervals for comparing matched
    proportions", Statistics in Medicine 24, 2005, section 3.

    Args:
        one: whether the network classifies each example correctly (n,).
        other: whether another network classifies each of these examples correctly (n,).

    Raises:
        ValueError: they have different lengths, or are empty.

    Examples:
        >>> import torch
        >>> right = torch.arange(100) < 90
        >>> str(paired_difference(right, torch.arange(100) < 80))
        '+10.0 points [+3.7, +15.9]'
        >>> paired_difference(right, right).value
        0.0
    """
    check_paired(one, other)
    first, second = one.bool(), other.bool()
    gained, lost = int((first & ~second).sum()), int((second & ~first).sum())
    count = len(one) + 2
    center = (gained - lost) / count
    reach = NORMAL * math.sqrt(gained + lost + 1 - (gained - lost) ** 2 / count) / count
    return Difference((gained - lost) / len(one), center - reach, center + reach)
