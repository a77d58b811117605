"""The forward pass on noise that the terms of AZ-NAS share, recorded block by block."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from diswot.networks import ActivationReader, Watch
from diswot.networks.layers import blocks
from diswot.networks.probe import Probe
from diswot.scorers.positions import channels


@dataclass(frozen=True, eq=False)
class BlockCall:
    """One call of a block, recorded immediately because later layers may work in place.

    Attributes:
        shape: shape of the output.
        entropy: entropy of the output's principal components; −∞ if the output is constant,
            NaN if it is not finite.
        given_edge: gradient edge of the input in the autograd graph.
        output_edge: gradient edge of the output in the autograd graph.
    """

    shape: torch.Size
    entropy: Tensor
    given_edge: GradientEdge | None
    output_edge: GradientEdge | None


def noise_block_calls(student: Probe) -> list[BlockCall]:
    """Run the student on noise of the batch's shape; return the calls of its blocks in order.

    Raises:
        NetworkError: the network has no blocks.
    """
    noise = student.noise(student.generator("noise blocks"))
    reader = ActivationReader(student.network, watches=[_CALLS])
    with torch.enable_grad(), reader as read:
        return read(*noise).watched(_CALLS)


def _call(given: Tensor, output: Tensor) -> BlockCall:
    with torch.no_grad():
        entropy = spectral_entropy(channels(output))
    return BlockCall(output.shape, entropy, _edge(given), _edge(output))


_CALLS = Watch(blocks, _call)


def spectral_entropy(features: Tensor) -> Tensor:
    """Return the entropy of the variances along the principal components, as fractions.

    Args:
        features: samples (N, C).

    Returns:
        A scalar from 0 to ln C; −∞ if all samples are equal, NaN if they are not finite.
    """
    centered = features - features.mean(dim=0)
    covariance = (centered.T @ centered).double()
    if not covariance.isfinite().all():
        return covariance.new_tensor(torch.nan)
    # Eigenvalues of the covariance are the variances along the principal components.
    variances = torch.linalg.eigvalsh(covariance).clamp(min=0)
    entropy: Tensor = torch.special.entr(variances / variances.sum()).sum()
    return torch.where(variances.sum() > 0, entropy, -torch.inf)


def _edge(output: Tensor) -> GradientEdge | None:
    return get_gradient_edge(output) if output.requires_grad else None
