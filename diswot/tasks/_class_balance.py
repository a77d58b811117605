"""Numbers of examples per class, and weights that make all classes count the same."""

import torch
from torch import Tensor

from diswot.errors import OptionError
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._metric import MOST_AT_ONCE


def class_labels(dataset: Examples, split: SplitName) -> Tensor:
    """Return the classes (n,) of all examples of a split.

    Datasets that have them in memory offer them as `class_labels(split)`; of others the
    examples are read.

    Raises:
        OptionError: the examples do not have exactly one class each.
    """
    own = getattr(dataset, "class_labels", None)
    if own is not None:
        found: Tensor = own(split)
        return found
    labels = [
        dataset.batch(split, indices).labels
        for indices in torch.split(torch.arange(dataset.size(split)), MOST_AT_ONCE)
    ]
    known = [each for each in labels if each is not None and each.ndim == 1]
    if len(known) < len(labels) or not known:
        raise OptionError(
            "class weights and balanced sampling need one class for each example, which "
            f"{dataset.name} does not have: leave --class-weights and --sampling out"
        )
    return torch.cat(known)


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """Return the weights (classes,) with which all classes count the same.

    The weight of a class with c of n examples is n / (k · c) for k classes, so that weights are
    1 on average over the examples. Classes without examples get 0.

    Source: King and Zeng, "Logistic regression in rare events data", Political Analysis 9,
    2001, section 3.2.

    Args:
        labels: classes of the training examples (n,).
        classes: number of classes k.

    Examples:
        >>> class_weights(torch.tensor([0, 0, 0, 1]), 2)
        tensor([0.6667, 2.0000])
    """
    counts = torch.bincount(labels.cpu(), minlength=classes)
    weights = len(labels) / (classes * counts.clamp_min(1).double())
    return torch.where(counts > 0, weights, 0.0).float()
