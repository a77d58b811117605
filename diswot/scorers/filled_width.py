"""Filled width: effective rank of the blocks' outputs of an untrained student on noise."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.noise_blocks import noise_block_calls


@register(
    Card(
        "filled_width",
        "sum over blocks of r ln r, for the effective rank r of the block's output",
        "this project; effective rank of Roy and Vetterli, EUSIPCO 2007, definition 1",
        needs_teacher=False,
        cost="one forward pass of noise",
        supports="networks of several blocks",
    )
)
def filled_width(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(1 + Σ_l r_l s_l), where s_l is the entropy of block l as in `az_expressivity`.

    r_l = exp(s_l) is the effective rank (Roy and Vetterli, EUSIPCO 2007, definition 1) of the
    output channels of block l. A block with constant output has rank 1 and adds 0; the score is
    NaN if an output is not finite.
    """
    ranks = effective_ranks(student)
    return (ranks * ranks.log()).sum().log1p()


def effective_ranks(student: Probe) -> Tensor:
    """Return the effective ranks r_l (L,) of all blocks, in the order of the forward pass."""
    entropies = torch.stack([call.entropy for call in student.once(noise_block_calls)])
    return entropies.exp().clamp(min=1)
