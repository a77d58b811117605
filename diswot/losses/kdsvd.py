"""KD-SVD: match correlations between singular vectors of an earlier and a later feature map.

Source: Lee, Kim and Song, "Self-supervised Knowledge Distillation Using Singular Value
Decomposition", ECCV 2018, section 3. Numbers that the text does not give (one vector per map,
four candidates, a radial basis function of width 8) are from the authors' code.
"""

from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.losses._maps import Flow, FlowTerm
from diswot.losses._registry import register
from diswot.losses._term import Card
from diswot.networks.precision import at_least_single

CANDIDATES = 4
"""Number of leading student vectors among which the teacher's first vector is matched."""

WIDTH = 8.0
"""Divisor of the squared difference in the radial basis function."""

Vectors: TypeAlias = tuple[Tensor, Tensor]


def singular_vectors(first: Tensor, last: Tensor) -> Vectors:
    """Return the leading singular vectors over the channels of two maps of one network.

    Args:
        first: earlier feature map (B, M, H, W).
        last: later feature map (B, N, H, W).

    Returns:
        Vectors as columns, (B, M, ≤ 4) and (B, N, ≤ 4), of length one and with positive sums.
    """
    first, last = _leading(first), _leading(last)
    return first * _sign(first.sum(dim=1)), last * _sign(last.sum(dim=1))


def _sign(values: Tensor) -> Tensor:
    """Return the signs of values (B, k) as −1 or 1, never 0, in the shape (B, 1, k)."""
    return torch.where(values < 0, -1, 1)[:, None]


def _leading(maps: Tensor) -> Tensor:
    channels = at_least_single(maps).flatten(2)
    if channels.shape[1] <= channels.shape[2]:
        return _eigenvectors(channels @ channels.mT)
    places = _eigenvectors(channels.mT @ channels)  # the smaller of the two Gram matrices
    return F.normalize(channels @ places, dim=1)


def _eigenvectors(gram: Tensor) -> Tensor:
    """Return the leading eigenvectors of symmetric matrices (B, n, n) as (B, n, ≤ 4).

    Autograd's gradient of `eigh` is NaN if two eigenvalues are equal, for example for channels
    that are zero. So the vectors are detached, and a term of value zero adds the gradient
    dv_j = Σ_{i≠j} v_i (v_iᵀ dG v_j)/(λ_j − λ_i), leaving out equal eigenvalues.
    """
    values, vectors = torch.linalg.eigh(gram.detach())
    values, vectors = values.flip(-1), vectors.flip(-1)
    leading = vectors[..., :CANDIDATES]
    gaps = values[:, None, :CANDIDATES] - values[:, :, None]
    negligible = torch.finfo(values.dtype).eps * values.shape[-1] * values[:, :1, None].abs()
    inverse = torch.where(gaps.abs() > negligible, 1 / gaps, 0)
    change = vectors.mT @ ((gram - gram.detach()) @ leading)
    differentiable: Tensor = leading + vectors @ (inverse * change)
    return differentiable


def kdsvd_distance(student: Vectors, teacher: Vectors) -> Tensor:
    """Return the squared difference of two networks' correlations, averaged over images.

    Args:
        student: singular vectors (B, M, k) and (B, N, k) of two maps.
        teacher: singular vectors (B, M, k) and (B, N, k); the first of each is used.
    """
    reference = [vectors[..., 0] for vectors in teacher]
    aligned = [_aligned(s, t) for s, t in zip(student, reference, strict=True)]
    difference = _correlations(*aligned) - _correlations(*reference)
    return difference.square().sum(dim=(1, 2)).mean()


def _aligned(candidates: Tensor, reference: Tensor) -> Tensor:
    """Select from vectors (B, C, k) the nearest to `reference` (B, C), and match its sign."""
    cosine = torch.einsum("bck,bc->bk", candidates, reference)
    nearest = cosine.abs().argmax(dim=1)[:, None, None].expand(-1, len(candidates[0]), -1)
    return (candidates * _sign(cosine)).gather(2, nearest).squeeze(2)


def _correlations(first: Tensor, last: Tensor) -> Tensor:
    return torch.exp(-(first[:, :, None] - last[:, None, :]).square() / WIDTH)


def kdsvd_loss(student: Flow, teacher: Flow) -> Tensor:
    """Return Σ_ij (S_ij − T_ij)² with S_ij = exp(−(v_i − w_j)²/8), averaged over images.

    v and w are the first singular vectors over the channels of the earlier and the later map.
    For the student, the vectors nearest to the teacher's among its first four are used, because
    vectors with nearly equal singular values can swap places; signs are matched as well.

    Deviation: in the paper, the signs of the teacher's v and w are arbitrary, although S and T
    depend on them; here both have a positive sum, as is natural for maps after a ReLU.

    Args:
        student: feature maps (B, M, H, W) and (B, N, H, W); gradients flow into them.
        teacher: feature maps (B, M, H', W') and (B, N, H', W'); no gradient flows into them.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> flow = torch.rand(2, 3, 4, 4), torch.rand(2, 5, 4, 4)
        >>> float(kdsvd_loss(flow, flow))
        0.0
    """
    first, last = teacher
    reference = singular_vectors(first.detach(), last.detach())
    return kdsvd_distance(singular_vectors(*student), reference)


@register(
    Card(
        "kdsvd",
        "correlations between singular vectors of the first and last map of a stage (KD-SVD)",
        "Lee et al., ECCV 2018, section 3",
        weight=1.0,
        weight_source="the paper, which adds it to the loss of the task",
        reads=("stages",),
    )
)
class KDSVD(FlowTerm):
    """Sum of [`kdsvd_loss`][diswot.losses.kdsvd_loss] over the stages.

    The student's maps are projected to the teacher's widths by trainable 1×1 convolutions.
    """

    compare = staticmethod(kdsvd_loss)
