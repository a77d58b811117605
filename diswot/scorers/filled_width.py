"""How many directions the blocks of the untrained student fill with noise."""

import torch
from torch import Tensor

from diswot.activations import Activations
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._noise_blocks import noise_block_calls
from diswot.scorers._registry import register


@register(
    Card(
        "filled_width",
        "sum over blocks of the squared effective rank of their outputs",
        "this project, with the effective rank of Roy and Vetterli, EUSIPCO 2007, definition 1",
        needs_teacher=False,
        cost="one forward pass of noise",
        supports="networks of several blocks",
    )
)
def filled_width(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln Σ_l r_l², r_l the effective rank of the channels that block l writes.

    r_l = exp(s_l), with the entropies s_l of `az_expressivity`. A block whose output is
    constant has r_l = 1. r_l² is how many weights a layer between r_l inputs and r_l
    outputs has: what the following layer can use.
    """
    return effective_ranks(student).square().sum().log()


def effective_ranks(student: Probe) -> Tensor:
    """Return r_l of every block, in the order of the forward pass: (L,)."""
    entropies = torch.stack([call.entropy for call in student.once(noise_block_calls)])
    return entropies.nan_to_num(nan=0.0).exp()
