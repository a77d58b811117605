"""The size of a network, counted so that width and depth weigh the same."""

import math

from diswot.activations import Activations
from diswot.layers import weight_layers
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "root_size",
        "sum over layers of the square root of their weights",
        "a count, of this project",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def root_size(student: Probe, _teacher: Activations) -> float:
    """Return ln Σ_i √n_i, n_i the weights of convolution or linear layer i.

    The square root of a layer's weights grows with its width as the sum grows with depth;
    a parameter count grows with the square of the width.
    """
    return math.log(
        sum(math.sqrt(layer.weight.numel()) for layer in weight_layers(student.network))
    )
