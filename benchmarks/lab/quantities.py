"""The raw quantities of the lab book, each a term of its own; importing registers them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from diswot.activations import Activations, Watch
from diswot.layers import blocks, weight_layers
from diswot.probe import Probe
from diswot.scorers import Card, register
from diswot.scorers._aligned_blocks import KERNELS, block_alignments, unit_kernel
from diswot.scorers._noise_blocks import spectral_entropy
from diswot.scorers._positions import channels, grid
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

_SOURCE = "the lab book"


def _reach(name: str, weigh: Callable[[Tensor], Tensor]) -> None:
    @register(Card(f"reach_{name}", "sum over blocks", _SOURCE, cost="one forward pass of noise"))
    def reach(student: Probe, _teacher: Activations) -> Tensor:
        return weigh(student.once(effective_ranks)).sum()


def _size(name: str, weigh: Callable[[Tensor, Tensor], Tensor]) -> None:
    @register(Card(f"size_{name}", "sum over layers", _SOURCE, needs_teacher=False, cost="nothing"))
    def size(student: Probe, _teacher: Activations) -> Tensor:
        weights = [layer.weight for layer in weight_layers(student.network)]
        numbers = torch.tensor([float(each.numel()) for each in weights], dtype=torch.float64)
        taps = torch.tensor([each.shape[2:].numel() for each in weights], dtype=torch.float64)
        return weigh(numbers, taps).sum()


def _alignment(name: str, reduce: Callable[[Tensor], Tensor]) -> None:
    card = Card(f"alignment_{name}", "alignment of blocks with the teacher's", _SOURCE)

    @register(card, watches=[KERNELS], teacher_watches=[KERNELS])
    def alignment(student: Probe, teacher: Activations) -> Tensor:
        return reduce(block_alignments(student, teacher))


@register(
    Card("alignment_pixels", "mean alignment of blocks with the images", _SOURCE),
    watches=[KERNELS],
)
def alignment_pixels(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean CKA of the student's blocks with the images themselves."""
    images = unit_kernel(student.images.detach())
    return (torch.stack(student.watched(KERNELS)) * images).sum(dim=(1, 2)).mean()


@register(
    Card(
        "alignment_labels", "mean alignment of blocks with the labels", _SOURCE, needs_labels=True
    ),
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


@dataclass(frozen=True, eq=False)
class _BlockOutput:
    """What a block shows of the images.

    Attributes:
        entropy: of the principal components of its channels over all positions.
        pooled: the same of its channels averaged over the positions.
        collinearity: mean cosine of two images.
        edge: its output in the graph of the pass.
    """

    entropy: Tensor
    pooled: Tensor
    collinearity: Tensor
    edge: GradientEdge | None


def _shown(_given: Tensor, output: Tensor) -> _BlockOutput:
    edge = get_gradient_edge(output) if output.requires_grad else None
    with torch.no_grad():
        flat = torch.nn.functional.normalize(output.flatten(1), dim=1)
        pooled = grid(output).mean(dim=(2, 3))
        return _BlockOutput(
            spectral_entropy(channels(output)),
            spectral_entropy(pooled),
            (flat @ flat.T).mean(),
            edge,
        )


_OUTPUTS = Watch(blocks, _shown)


@register(
    Card("image_rank_squared", "as reach_rank_squared, of the images", _SOURCE), watches=[_OUTPUTS]
)
def image_rank_squared(student: Probe, _teacher: Activations) -> Tensor:
    """Return the sum over blocks of the squared effective rank of the channels."""
    return torch.stack([shown.entropy.exp().square() for shown in student.watched(_OUTPUTS)]).sum()


@register(
    Card("pooled_rank", "effective rank of the last block, pooled", _SOURCE), watches=[_OUTPUTS]
)
def pooled_rank(student: Probe, _teacher: Activations) -> Tensor:
    """Return the effective rank of the last block's channels, averaged over the positions."""
    return student.watched(_OUTPUTS)[-1].pooled.exp()


@register(
    Card("collinearity", "mean cosine of two images in the last block", _SOURCE), watches=[_OUTPUTS]
)
def collinearity(student: Probe, _teacher: Activations) -> Tensor:
    """Return how alike two images have become."""
    return student.watched(_OUTPUTS)[-1].collinearity


@register(
    Card(
        "gradient_growth", "ln of the largest gradient over the last", _SOURCE, needs_gradients=True
    ),
    watches=[_OUTPUTS],
)
def gradient_growth(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(max_l ‖g_l‖ / ‖g_L‖), g_l the gradient of all logits for the output of block l."""
    norms = student.once(_gradient_norms)
    return (norms.max() / norms[-1]).log()


@register(
    Card("gradient_spread", "deviation of the ln of gradients", _SOURCE, needs_gradients=True),
    watches=[_OUTPUTS],
)
def gradient_spread(student: Probe, _teacher: Activations) -> Tensor:
    """Return the standard deviation of ln ‖g_l‖ over the blocks."""
    return student.once(_gradient_norms).log().std()


def _gradient_norms(student: Probe) -> Tensor:
    edges = [cast(GradientEdge, shown.edge) for shown in student.watched(_OUTPUTS)]
    with torch.enable_grad():
        direction = torch.randn(student.num_classes, generator=student.generator("direction"))
        total = (student.logits * direction).sum()
    gradients = torch.autograd.grad(total, edges, retain_graph=True, allow_unused=True)
    return torch.stack([torch.zeros(()) if g is None else g.norm() for g in gradients]).clamp(
        min=1e-12
    )


@register(
    Card("tangent_alignment", "CKA of last-layer tangent kernels", _SOURCE, needs_labels=True)
)
def tangent_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return the CKA of the kernels of per-image gradients for the classifiers' weights."""
    return (_tangent_kernel(student) * _tangent_kernel(teacher)).sum()


def _tangent_kernel(shown: Activations) -> Tensor:
    targets = torch.nn.functional.one_hot(cast(Tensor, shown.labels), shown.num_classes)
    residuals = shown.logits.softmax(dim=1) - targets
    return unit_kernel(torch.einsum("bn,bd->bnd", residuals, shown.features).flatten(1))


WIDE = (
    "image_rank_squared",
    "pooled_rank",
    "collinearity",
    "gradient_growth",
    "gradient_spread",
    "tangent_alignment",
)
"""What was looked at besides."""
