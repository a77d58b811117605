"""The number of layers with weights: a baseline."""

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "trainable_layers",
        "number of convolutions and linear layers, a baseline",
        "a count; Tybl and Neumann, VKDNW, CVPR 2025, section III",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def trainable_layers(student: Probe, _teacher: Activations) -> float:
    """Return the number of convolutions and linear layers.

    Source: Tybl and Neumann, VKDNW, CVPR 2025, section III.
    """
    return float(len(weight_layers(student.network)))
