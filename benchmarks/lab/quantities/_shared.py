"""What shares the passes of `student_fit`, and what needs none."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from benchmarks.lab.quantities._source import SOURCE
from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers import Card, register
from diswot.scorers.aligned_blocks import KERNELS, block_alignments, image_alignments, unit_kernel
from diswot.scorers.filled_width import effective_ranks

REACHES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "entropy": torch.log,
    "entropy_squared": lambda ranks: ranks.log().square(),
    "rank": lambda ranks: ranks,
    "rank_entropy": lambda ranks: ranks * ranks.log(),
    "rank_1.5": lambda ranks: ranks**1.5,
    "rank_squared": torch.square,
}
"""What is summed over the blocks, of their effective ranks in a pass of noise."""

SIZES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "layers": lambda weights, _taps: torch.ones_like(weights),
    "ln_weights": lambda weights, _taps: weights.log(),
    "weights_1/4": lambda weights, _taps: weights**0.25,
    "weights_1/3": lambda weights, _taps: weights ** (1 / 3),
    "weights_1/2": lambda weights, _taps: weights.sqrt(),
    "weights": lambda weights, _taps: weights,
    "sides_1/4": lambda weights, taps: (weights / taps.sqrt()) ** 0.25,
    "sides_1/3": lambda weights, taps: (weights / taps.sqrt()) ** (1 / 3),
    "sides_1/2": lambda weights, taps: (weights / taps.sqrt()).sqrt(),
    "sides": lambda weights, taps: weights / taps.sqrt(),
}
"""What is summed over the layers, of their numbers of weights and the taps of their kernels.

With `sides` a k × k kernel counts as k.
"""

ALIGNMENTS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "mean": torch.mean,
    "last": lambda values: values[-1],
    "least": torch.amin,
}
"""What is made of the blocks' alignments with the teacher."""


def _reach(name: str, weigh: Callable[[Tensor], Tensor]) -> None:
    @register(Card(f"reach_{name}", "sum over blocks", SOURCE, cost="one forward pass of noise"))
    def reach(student: Probe, _teacher: Activations) -> Tensor:
        return weigh(student.once(effective_ranks)).sum()


def _size(name: str, weigh: Callable[[Tensor, Tensor], Tensor]) -> None:
    @register(Card(f"size_{name}", "sum over layers", SOURCE, needs_teacher=False, cost="nothing"))
    def size(student: Probe, _teacher: Activations) -> Tensor:
        weights = [layer.weight for layer in weight_layers(student.network)]
        numbers = torch.tensor([float(weight.numel()) for weight in weights], dtype=torch.float64)
        taps = torch.tensor([weight.shape[2:].numel() for weight in weights], dtype=torch.float64)
        return weigh(numbers, taps).sum()


def _alignment(name: str, reduce: Callable[[Tensor], Tensor]) -> None:
    card = Card(f"alignment_{name}", "alignment of blocks with the teacher's", SOURCE)

    @register(card, watches=[KERNELS], teacher_watches=[KERNELS])
    def alignment(student: Probe, teacher: Activations) -> Tensor:
        return reduce(block_alignments(student, teacher))


@register(
    Card("alignment_pixels", "mean alignment of blocks with the images", SOURCE),
    watches=[KERNELS],
)
def alignment_pixels(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean CKA of the student's blocks with the images themselves."""
    return image_alignments(student).mean()


@register(
    Card("depth_alignment", "teacher_alignment, with the blocks alone", SOURCE),
    watches=[KERNELS],
    teacher_watches=[KERNELS],
)
def depth_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return ln(1 + mean CKA) of the student's blocks with the teacher's at the same depth."""
    return block_alignments(student, teacher).mean().log1p()


@register(
    Card("pixel_alignment", "teacher_alignment, with the images alone", SOURCE),
    watches=[KERNELS],
)
def pixel_alignment(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(1 + mean CKA) of the student's blocks with the images."""
    return image_alignments(student).mean().log1p()


@register(
    Card("alignment_labels", "mean alignment of blocks with the labels", SOURCE, needs_labels=True),
    watches=[KERNELS],
)
def alignment_labels(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean CKA of the student's blocks with the classes of the images."""
    targets = torch.nn.functional.one_hot(student.targets).float()
    return (torch.stack(student.watched(KERNELS)) * unit_kernel(targets)).sum(dim=(1, 2)).mean()


for _name, _weigh in REACHES.items():
    _reach(_name, _weigh)
for _name, _count in SIZES.items():
    _size(_name, _count)
for _name, _reduce in ALIGNMENTS.items():
    _alignment(_name, _reduce)

QUANTITIES = (
    *(f"reach_{name}" for name in REACHES),
    *(f"alignment_{name}" for name in ALIGNMENTS),
    "alignment_pixels",
    "alignment_labels",
)
"""What shares the passes of `student_fit`."""

COUNTS = tuple(f"size_{name}" for name in SIZES)
"""What needs no pass."""
