"""AZ-NAS, expressivity: how evenly the features of each block fill their space."""

import torch
from torch import Tensor

from diswot.activations import Activations, Watch
from diswot.errors import NetworkError
from diswot.layers import blocks
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._positions import channels
from diswot.scorers._registry import register


def _entropy(_given: Tensor, output: Tensor) -> Tensor:
    """Return the entropy of the shares of the principal components; NaN if nothing varies."""
    features = channels(output.detach())
    centred = features - features.mean(dim=0)
    variances = torch.linalg.eigvalsh((centred.T @ centred).double()).clamp(min=0)
    entropy: Tensor = torch.special.entr(variances / variances.sum()).sum()
    return entropy


ENTROPY = Watch(blocks, _entropy)


@register(
    Card(
        "az_expressivity",
        "entropy of the principal components of each block's features",
        "Lee and Ham, AZ-NAS, CVPR 2024, equations 1 to 4",
        needs_teacher=False,
        supports="networks of several blocks",
    ),
    watches=[ENTROPY],
)
def az_expressivity(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l s_l, s_l = −Σ_i λ̃_i ln λ̃_i of block l.

    λ̃ are the eigenvalues of the covariance of the channels of the block's output, over
    all positions (or tokens) of all images, divided by their sum. Blocks are those of
    [`blocks`][diswot.layers.blocks]. Deviation: the images are those of the batch, where
    the paper takes Gaussian noise, so that the forward pass is shared.

    Raises:
        NetworkError: the output of a block is constant.
    """
    return block_entropies(student).sum()


def block_entropies(student: Probe) -> Tensor:
    """Return s_l of every block, in the order of the forward pass: (L,).

    Raises:
        NetworkError: the output of a block is constant.
    """
    entropies = torch.stack(student.watched(ENTROPY))
    if not entropies.isfinite().all():
        raise NetworkError(
            "the output of a block is constant, so it has no principal components: "
            "the network lets nothing through, use another scorer for it"
        )
    return entropies
