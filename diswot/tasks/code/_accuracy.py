"""Accuracy on classes that are not equally frequent."""

from torch import Tensor

from diswot.tasks._accuracy import LEAST_KAPPA, Top1
from diswot.tasks._class_balance import class_labels
from diswot.tasks._examples import Examples, SplitName


class Accuracy(Top1):
    """Top-1 accuracy, with the share of the most frequent class as chance."""

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the accuracy is not clearly above that of the most frequent class.

        Args:
            values: 1 or 0 for all examples of the split (n,).
            dataset: the dataset.
            split: which split.
        """
        labels = class_labels(dataset, split)
        chance = float(labels.bincount().max()) / len(labels)
        low = self.summarize(values, dataset, split).low
        return low < chance + LEAST_KAPPA * (1 - chance)
