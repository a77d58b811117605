"""How many directions the blocks of the untrained student fill with noise."""

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
        "sum over blocks of the effective rank of their outputs times its entropy",
        "this project, with the effective rank of Roy and Vetterli, EUSIPCO 2007, definition 1",
        needs_teacher=False,
        cost="one forward pass of noise",
        supports="networks of several blocks",
    )
)
def filled_width(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(1 + Σ_l r_l s_l), s_l the entropy of block l as in `az_expressivity`.

    r_l = exp(s_l) is the effective rank of the channels that block l writes: as many
    directions as it fills of them. A block whose output is constant fills one direction,
    and adds 0; the value is NaN where an output is not finite.
    """
    ranks = effective_ranks(student)
    return (ranks * ranks.log()).sum().log1p()


def effective_ranks(student: Probe) -> Tensor:
    """Return r_l of every block, in the order of the forward pass: (L,)."""
    entropies = torch.stack([call.entropy for call in student.once(noise_block_calls)])
    return entropies.exp().clamp(min=1)
