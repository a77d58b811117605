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
    in_memory = getattr(dataset, "class_labels", None)
    if in_memory is not None:
        labels: Tensor = in_memory(split)
        return labels
    positions = torch.split(torch.arange(dataset.size(split)), MOST_AT_ONCE)
    return torch.cat([_labels(dataset, split, indices) for indices in positions])


def check_class_labels(dataset: Examples, split: SplitName) -> None:
    """Make sure that examples have one class each, by the first of a split.

    Raises:
        OptionError: it does not have exactly one class.
    """
    if hasattr(dataset, "class_labels"):
        dataset.class_labels(split)
    else:
        _labels(dataset, split, torch.arange(1))


def _labels(dataset: Examples, split: SplitName, indices: Tensor) -> Tensor:
    labels = dataset.batch(split, indices).labels
    if labels is None or labels.ndim != 1:
        raise no_single_class(dataset)
    return labels


def no_single_class(dataset: Examples) -> OptionError:
    """Return the error for options that need exactly one class for each example."""
    return OptionError(
        "class weights, balanced sampling and metrics per class need one class for each "
        f"example, which {dataset.name} does not have: leave --class-weights and --sampling "
        "out"
    )


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
