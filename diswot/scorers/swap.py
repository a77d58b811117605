"""SWAP: how many patterns of active images the units of a network show."""

import torch
from torch import Tensor

from diswot.networks import Activations, Watch
from diswot.networks.layers import activation_functions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

WORD = 64
"""Images whose bits fit into one integer."""


def _codes(_given: Tensor, output: Tensor) -> Tensor:
    """Return for which images each unit is active, as bits: (⌈B/64⌉, units)."""
    words = torch.split((output > 0).flatten(1), WORD)
    return torch.stack([_code(active) for active in words])


def _code(active: Tensor) -> Tensor:
    # Sums of 16 powers of two are exact in single precision.
    powers = torch.exp2(torch.arange(16.0, device=active.device))
    bits = torch.kron(torch.eye(4, device=active.device), powers)[:, : len(active)]
    quarters = (bits @ active.float()).long()
    low, high = quarters[0] + (quarters[1] << 16), quarters[2] + (quarters[3] << 16)
    code: Tensor = low + ((high - 2**31) << 32)
    return code


CODES = Watch(activation_functions, _codes)


@register(
    Card(
        "swap",
        "number of different patterns of active images",
        "Peng et al., SWAP-NAS, ICLR 2024, definitions 3.2 and 3.3",
        needs_teacher=False,
        supports="networks with activation functions as modules",
    ),
    watches=[CODES],
)
def swap(student: Probe, _teacher: Activations) -> float:
    """Return |{p_v}|, p_v the images for which unit v is active, over all units of the network.

    A unit is one channel at one position, or of one token, of the output of an
    activation function. Weights are as the network initializes them; the released code
    draws them from N(0, 1), a difference that batch normalization undoes.
    """
    return student.once(_distinct_patterns)


def _distinct_patterns(student: Probe) -> float:
    first, *others = torch.cat(student.watched(CODES), dim=1)
    for other in others:
        # Number the patterns of the words so far, combined with those of the next word.
        known, numbers = other.unique(return_inverse=True)
        first = first.unique(return_inverse=True)[1] * len(known) + numbers
    return float(len(first.unique()))
