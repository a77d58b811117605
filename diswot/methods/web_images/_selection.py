"""Selection of the images of an epoch, by the confidence of teacher and student."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

EPOCHS, HANDOVER, SPAN = 240, 120, 160
"""Epochs of the paper, after which of them the student alone selects, and the span of a(e)."""


def teacher_share(epoch: int, epochs: int) -> float:
    """Return a(e), the teacher's share in the mixed logits of an epoch.

    a(e) = 1 − exp(−5 ((e + 1)/160 − 1)²) in the first half of the training, and 0 afterwards,
    where e = 240 · epoch/epochs is the epoch of the paper's schedule.

    Source: Tang et al., ICCV 2023, as in the authors' code.

    Args:
        epoch: number of the epoch, from 0.
        epochs: number of epochs of the training.

    Examples:
        >>> [round(teacher_share(epoch, 240), 3) for epoch in (1, 60, 100, 119, 120)]
        [0.992, 0.853, 0.493, 0.268, 0.0]
        >>> teacher_share(10, 20), teacher_share(5, 20) == teacher_share(60, 240)
        (0.0, True)
    """
    place = epoch * EPOCHS / epochs
    if place >= HANDOVER:
        return 0.0
    return 1 - math.exp(-5 * ((place + 1) / SPAN - 1) ** 2)


def class_thresholds(counts: Tensor, threshold: float) -> Tensor:
    """Return the confidence τ_c above which images of each class are selected.

    τ_c = τ b_c / (2 − b_c), where b_c is the number of images that are assigned to class c,
    relative to the most frequent class.

    Args:
        counts: number of images of each class (N,).
        threshold: τ, the threshold of the most frequent class.

    Returns:
        Thresholds (N,), from 0 to τ.

    Examples:
        >>> class_thresholds(torch.tensor([10, 25, 50, 75, 100]), 0.95).round(decimals=3)
        tensor([0.0500, 0.1360, 0.3170, 0.5700, 0.9500])
    """
    balance = counts.double() / counts.max().clamp_min(1)
    return (threshold * balance / (2 - balance)).float()


@dataclass(frozen=True, eq=False)
class Selection:
    """The selected images of a pool of n images.

    Attributes:
        kept: whether each image is selected (n,).
        classes: class that is assigned to each image (n,).
        confidence: probability of this class (n,).
    """

    kept: Tensor
    classes: Tensor
    confidence: Tensor


@dataclass(frozen=True)
class Mixing:
    """How a selection mixes the logits, and whether thresholds depend on the class.

    Attributes:
        share: (epoch, epochs) → share of the teacher.
        per_class: whether rare classes have lower thresholds.
    """

    share: Callable[[int, int], float]
    per_class: bool = True


MIXING: Mapping[str, Mixing] = {
    "dynamic": Mixing(teacher_share),
    "teacher": Mixing(lambda _epoch, _epochs: 1.0),
    "student": Mixing(lambda _epoch, _epochs: 0.0),
    "threshold": Mixing(lambda _epoch, _epochs: 1.0, per_class=False),
}
"""Selections that depend on confidence; `all` selects every image."""


def select(logits: Tensor, *, threshold: float, per_class: bool = True) -> Selection:
    """Select the images whose largest class probability exceeds the threshold of the class.

    An image with p = softmax(z) is selected if max p is above τ_c of the most probable class c.

    Source: Tang et al., ICCV 2023, as in the authors' code, with z = a z_T + (1 − a) z_S of
    teacher and student.

    Args:
        logits: logits z (n, N).
        threshold: τ.
        per_class: whether thresholds are `class_thresholds`; otherwise τ for all classes.

    Examples:
        >>> logits = torch.tensor([[4.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
        >>> select(logits, threshold=0.95).kept.tolist()
        [True, True, True]
        >>> select(logits, threshold=0.95, per_class=False).kept.tolist()
        [True, True, False]
    """
    confidence, classes = logits.softmax(1).max(1)
    limits = confidence.new_full((logits.shape[1],), threshold)
    if per_class:
        counts = torch.bincount(classes, minlength=logits.shape[1])
        limits = class_thresholds(counts, threshold)
    return Selection(confidence > limits[classes], classes, confidence)
