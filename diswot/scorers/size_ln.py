"""A parameter count that favors deep, narrow networks over shallow, wide ones: a baseline."""

import math

from torch import nn

from diswot.networks import Activations
from diswot.networks.layers import WeightLayer, convolutions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "size_ln",
        "sum over convolutions of ln(channels)·√weights, a baseline",
        "this project",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def size_ln(student: Probe, _teacher: Activations) -> float:
    """Return Σ ln(C_out)·√(number of weights) over the convolutions.

    In networks with at most one convolution, linear layers are included.
    """
    layers = [layer for layer in convolutions(student.network) if isinstance(layer, WeightLayer)]
    return sum(math.log(_outputs(layer)) * math.sqrt(layer.weight.numel()) for layer in layers)


def _outputs(layer: WeightLayer) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
