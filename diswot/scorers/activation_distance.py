"""How far the activation patterns of the texts of a batch are apart."""

import torch
from torch import Tensor

from diswot.networks import Activations, Watch
from diswot.networks.layers import activation_functions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers._tokens import mask_of


def _active(_given: Tensor, output: Tensor) -> Tensor:
    return output > 0


ACTIVE = Watch(activation_functions, _active)


@register(
    Card(
        "activation_distance",
        "mean Hamming distance of the activation patterns of two texts",
        "Serianni and Kalita, ACL 2023, section 4, with the codes of Mellor et al., ICML 2021",
        needs_teacher=False,
        supports="networks of tokens with activation functions as modules",
        reads=("tokens",),
    ),
    watches=[ACTIVE],
)
def activation_distance(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean share of units in which two texts differ, over pairs of different texts.

    The code of a token has a bit for each unit of an activation function: whether it is active.
    Texts are compared token by token, where both have one.
    """
    mask = mask_of(student).double()
    differ = mask.new_zeros(len(mask), len(mask))
    units = torch.zeros_like(differ)
    for active in student.watched(ACTIVE):
        code = (2 * active.double() - 1) * mask[..., None]
        both = (mask @ mask.T) * active.shape[-1]
        differ += (both - torch.einsum("ilu,jlu->ij", code, code)) / 2
        units += both
    pairs = ~torch.eye(len(mask), dtype=torch.bool, device=mask.device)
    return (differ / units)[pairs].mean()
