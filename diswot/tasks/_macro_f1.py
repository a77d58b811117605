"""Macro F1 of classifiers, and the difference of two, with 95 % intervals."""

import numpy as np
from torch import Tensor

from diswot.tasks._accuracy import near_chance
from diswot.tasks._batch import Batch
from diswot.tasks._bootstrap import Counts, percentile_interval, resamples
from diswot.tasks._class_balance import class_labels
from diswot.tasks._class_metrics import NAMES, ClassMetrics, averages
from diswot.tasks._correlation import cells_of
from diswot.tasks._difference import Difference, check_paired
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric


class MacroF1(Metric):
    """Macro F1: the mean over classes of 2·TP / (2·TP + FP + FN), so that rare classes count.

    Intervals are percentile bootstraps over examples. Source: Opitz and Burst, "Macro F1 and
    Macro F1", arXiv 1911.03347, equation 2.
    """

    name = NAMES[1]
    classifies = True

    def values(self, output: Tensor, _batch: Batch) -> Tensor:
        """Return the predicted class of each example: (B,)."""
        return output.argmax(1).double()

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        """Return macro F1 with its 95 % interval."""
        labels, classes = class_labels(dataset, split), dataset.signature.outputs
        return ClassMetrics.of(labels, values, classes=classes).macro_f1

    def difference(
        self, one: Tensor, other: Tensor, dataset: Examples, split: SplitName
    ) -> Difference:
        """Return macro F1 of `one` minus that of `other`, with a paired bootstrap."""
        check_paired(one, other)
        classes = dataset.signature.outputs
        cells, counts = cells_of(class_labels(dataset, split), one, other)
        first, second = cells[:2].T, cells[[0, 2]].T

        def differences(drawn: Counts) -> Counts:
            own, others = (averages(pairs, drawn, classes)[1] for pairs in (first, second))
            return np.asarray(own - others)

        result = float(differences(counts[None])[0])
        drawn = np.concatenate([differences(part) for part in resamples(counts)])
        return Difference(result, *percentile_interval(result, drawn), self.unit)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the lower end of the interval is not clearly above 1/k for k classes.

        Random predictions with the frequencies of the classes have about this macro F1, and
        constant ones at most.
        """
        low = self.summarize(values, dataset, split).low
        return near_chance(low, 1 / dataset.signature.outputs)
