"""AZ-NAS expressivity: how evenly each block's features use all directions of their space."""

import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.noise_blocks import noise_block_calls


@register(
    Card(
        "az_expressivity",
        "entropy of the principal components of each block's features",
        "Lee and Ham, AZ-NAS, CVPR 2024, equations 1 to 4",
        needs_teacher=False,
        cost="one forward pass of noise",
        supports="networks of several blocks",
    )
)
def az_expressivity(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l s_l over blocks l, where s_l = −Σ_i λ̃_i ln λ̃_i.

    Source: Lee and Ham, AZ-NAS, CVPR 2024, equations 1 to 4. λ̃ are the eigenvalues of the
    covariance matrix of the block's output channels, over all positions (or tokens) of all
    images, divided by their sum. `diswot.networks.layers.blocks` returns the
    blocks. The inputs are as many Gaussian noise images as the batch has images: on real
    images, the related term `az_progressivity` ranks NAS-Bench-201 far worse.

    Raises:
        NetworkError: the output of a block is constant, or not finite.
    """
    return block_entropies(student).sum()


def block_entropies(student: Probe) -> Tensor:
    """Return the entropies s_l (L,) of all blocks, in the order of the forward pass.

    Raises:
        NetworkError: the output of a block is constant, or not finite.
    """
    entropies = torch.stack([call.entropy for call in student.once(noise_block_calls)])
    if not entropies.isfinite().all():
        raise NetworkError(
            "the output of a block is constant or not finite, so it has no principal components: "
            "the signal vanishes in the network, so use another scorer for it"
        )
    return entropies
