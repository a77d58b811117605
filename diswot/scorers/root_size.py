"""The size of a network, counted so that width and depth weigh the same, and kernels little."""

import math

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "root_size",
        "sum over layers of the square root of their weights, a k × k kernel counted as k",
        "a count, of this project",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def root_size(student: Probe, _teacher: Activations) -> float:
    """Return ln Σ_i √(n_i / √t_i), n_i the weights of layer i and t_i the taps of its kernel.

    Layers are the convolutions and the linear ones, of which a kernel has one tap. The
    square root of a layer's weights grows with its width as the sum grows with depth; a
    parameter count grows with the square of the width. The k² taps of a k × k kernel count
    as k, for neighboring positions have nearly the same values.
    """
    return math.log(
        sum(
            math.sqrt(layer.weight.numel() / math.sqrt(layer.weight.shape[2:].numel()))
            for layer in weight_layers(student.network)
        )
    )
