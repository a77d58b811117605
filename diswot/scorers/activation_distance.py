"""Activation distance: how different the activation patterns of a batch's texts are."""

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
        "mean Hamming distance between the activation patterns of two texts",
        "Serianni and Kalita, ACL 2023, section 4, with the codes of Mellor et al., ICML 2021",
        needs_teacher=False,
        supports="networks of tokens with activation functions as modules",
        reads=("tokens",),
    ),
    watches=[ACTIVE],
)
def activation_distance(student: Probe, _teacher: Activations) -> Tensor:
    """Return the mean fraction of units whose activity differs between two texts; in [0, 1].

    Source: Serianni and Kalita, ACL 2023, section 4, with the binary codes of Mellor et al.,
    ICML 2021: one bit per token and unit of an activation function, set if the unit is active.
    Texts are compared at the positions that are tokens in both; the mean is over pairs.
    """
    mask = mask_of(student).double()
    differ = mask.new_zeros(len(mask), len(mask))
    units = torch.zeros_like(differ)
    for active in student.watched(ACTIVE):
        # For codes of ±1, the number of differing bits is (bits − inner product) / 2.
        code = (2 * active.double() - 1) * mask[..., None]
        both = (mask @ mask.T) * active.shape[-1]
        differ += (both - torch.einsum("ilu,jlu->ij", code, code)) / 2
        units += both
    pairs = ~torch.eye(len(mask), dtype=torch.bool, device=mask.device)
    return (differ / units)[pairs].mean()
