"""Root size: a parameter count in which width and depth have equal weight."""

import math

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "root_size",
        "sum over layers of √weights, where a k × k kernel counts as k weights",
        "this project",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def root_size(student: Probe, _teacher: Activations) -> float:
    """Return ln Σ_i √(n_i / √t_i), for n_i weights of layer i with t_i kernel positions.

    Layers are convolutions and linear layers (t_i = 1). A parameter count grows with the square
    of the width, but linearly with depth; with the square root, both are linear. The k²
    positions of a k × k kernel count as k, because neighboring inputs are correlated.
    """
    return math.log(
        sum(
            math.sqrt(layer.weight.numel() / math.sqrt(layer.weight.shape[2:].numel()))
            for layer in weight_layers(student.network)
        )
    )
