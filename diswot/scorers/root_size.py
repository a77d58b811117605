"""The size of a network, counted so that depth weighs more than width."""

import math

from diswot.activations import Activations
from diswot.layers import weight_layers
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "root_size",
        "sum over layers of the fourth root of their weights",
        "a count, of this project",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def root_size(student: Probe, _teacher: Activations) -> float:
    """Return ln Σ_l n_l^¼, n_l the weights of convolution or linear layer l.

    The fourth root of a layer's weights grows as the square root of its width.
    """
    return math.log(sum(layer.weight.numel() ** 0.25 for layer in weight_layers(student.network)))
