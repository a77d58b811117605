"""SWAP: the number of distinct activation patterns of a network's units over a batch."""

import torch
from torch import Tensor

from diswot.networks import Activations, Watch
from diswot.networks.layers import activation_functions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

WORD = 64
"""Number of images whose bits fit into one int64."""


def _codes(_given: Tensor, output: Tensor) -> Tensor:
    """Return the images for which each unit is active, as bits of int64: (⌈B/64⌉, units)."""
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
        "number of distinct sample-wise activation patterns",
        "Peng et al., SWAP-NAS, ICLR 2024, definitions 3.2 and 3.3",
        needs_teacher=False,
        supports="networks with activation functions as modules",
    ),
    watches=[CODES],
)
def swap(student: Probe, _teacher: Activations) -> float:
    """Return |{p_v}|, where p_v is the set of images for which unit v is active.

    Source: Peng et al., SWAP-NAS, ICLR 2024, definitions 3.2 and 3.3. A unit is one channel at
    one position (or token) of an activation function's output. Weights are as initialized by
    the network; the released code draws them from N(0, 1), which makes no difference before
    batch normalization.
    """
    return student.once(_distinct_patterns)


def _distinct_patterns(student: Probe) -> float:
    first, *others = torch.cat(student.watched(CODES), dim=1)
    for other in others:
        # Number the patterns of the words so far, combined with those of the next word.
        known, numbers = other.unique(return_inverse=True)
        first = first.unique(return_inverse=True)[1] * len(known) + numbers
    return float(len(first.unique()))
