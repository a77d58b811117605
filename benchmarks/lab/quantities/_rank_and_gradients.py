"""More of one pass of the student: rank, collinearity, gradients."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from benchmarks.lab.quantities._source import SOURCE
from diswot.networks import Activations, Watch
from diswot.networks.layers import blocks
from diswot.networks.probe import Probe
from diswot.scorers import Card, register
from diswot.scorers.aligned_blocks import unit_kernel
from diswot.scorers.noise_blocks import spectral_entropy
from diswot.scorers.positions import channels, grid


@dataclass(frozen=True, eq=False)
class _BlockOutput:
    """Statistics of a block's output for the batch.

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


def _block_output(_given: Tensor, output: Tensor) -> _BlockOutput:
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


_OUTPUTS = Watch(blocks, _block_output)


@register(
    Card("image_rank_squared", "as reach_rank_squared, of the images", SOURCE), watches=[_OUTPUTS]
)
def image_rank_squared(student: Probe, _teacher: Activations) -> Tensor:
    """Return the sum over blocks of the squared effective rank of the channels."""
    return torch.stack([block.entropy.exp().square() for block in student.watched(_OUTPUTS)]).sum()


@register(
    Card("pooled_rank", "effective rank of the last block, pooled", SOURCE), watches=[_OUTPUTS]
)
def pooled_rank(student: Probe, _teacher: Activations) -> Tensor:
    """Return the effective rank of the last block's channels, averaged over the positions."""
    return student.watched(_OUTPUTS)[-1].pooled.exp()


@register(
    Card("collinearity", "mean cosine of two images in the last block", SOURCE), watches=[_OUTPUTS]
)
def collinearity(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean cosine of two images' features."""
    return student.watched(_OUTPUTS)[-1].collinearity


@register(
    Card(
        "gradient_growth", "ln of the largest gradient over the last", SOURCE, needs_gradients=True
    ),
    watches=[_OUTPUTS],
)
def gradient_growth(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(max_l ‖g_l‖ / ‖g_L‖), g_l the gradient of all logits for the output of block l."""
    norms = student.once(_gradient_norms)
    return (norms.max() / norms[-1]).log()


@register(
    Card("gradient_spread", "deviation of the ln of gradients", SOURCE, needs_gradients=True),
    watches=[_OUTPUTS],
)
def gradient_spread(student: Probe, _teacher: Activations) -> Tensor:
    """Return the standard deviation of ln ‖g_l‖ over the blocks."""
    return student.once(_gradient_norms).log().std()


def _gradient_norms(student: Probe) -> Tensor:
    edges = [cast(GradientEdge, block.edge) for block in student.watched(_OUTPUTS)]
    with torch.enable_grad():
        direction = torch.randn(student.output.shape[1], generator=student.generator("direction"))
        total = (student.output * direction).sum()
    gradients = torch.autograd.grad(total, edges, retain_graph=True, allow_unused=True)
    return torch.stack([torch.zeros(()) if g is None else g.norm() for g in gradients]).clamp(
        min=1e-12
    )


@register(Card("tangent_alignment", "CKA of last-layer tangent kernels", SOURCE, needs_labels=True))
def tangent_alignment(student: Probe, teacher: Activations) -> Tensor:
    """Return the CKA of the kernels of per-image gradients for the classifiers' weights."""
    return (_tangent_kernel(student) * _tangent_kernel(teacher)).sum()


def _tangent_kernel(activations: Activations) -> Tensor:
    targets = torch.nn.functional.one_hot(
        cast(Tensor, activations.labels), activations.output.shape[1]
    )
    residuals = activations.output.softmax(dim=1) - targets
    return unit_kernel(torch.einsum("bn,bd->bnd", residuals, activations.features).flatten(1))
