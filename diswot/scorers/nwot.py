"""NASWOT: how different the ReLU patterns of the images of a batch are."""

import torch
from torch import Tensor

from diswot.networks import Activations, Watch
from diswot.networks.layers import activation_functions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


def _agreement(_given: Tensor, output: Tensor) -> Tensor:
    """Return, for each pair of images, the number of units with the same sign: (B, B)."""
    active = (output > 0).flatten(1).to(output.dtype)
    both = active @ active.T
    # Units that are active for neither image: all − active for one or both.
    count = both.diagonal()
    neither = active.shape[1] - count[:, None] - count + both
    return both + neither


AGREEMENT = Watch(activation_functions, _agreement)


@register(
    Card(
        "nwot",
        "log-determinant of the similarities between the images' ReLU patterns",
        "Mellor et al., Neural Architecture Search without Training, ICML 2021, equation 2",
        needs_teacher=False,
        supports="networks with activation functions as modules",
    ),
    watches=[AGREEMENT],
)
def nwot(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln|det K_H|, where K_H[i, j] = N_A − the Hamming distance of images i and j.

    Source: Mellor et al., Neural Architecture Search without Training, ICML 2021, equation 2.
    The binary code of an image has one bit for each of the network's N_A ReLU units, which is
    set if the unit is active.
    """
    kernel = torch.stack(student.watched(AGREEMENT)).double().sum(dim=0)
    determinant: Tensor = torch.linalg.slogdet(kernel).logabsdet
    return determinant
