"""The L2 norm of the weights: a baseline."""

from torch import Tensor, stack

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "l2_norm",
        "sum over layers of the norm of the weight, a baseline",
        "Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, table 1",
        needs_teacher=False,
        cost="nothing",
        supports="networks with convolutions or linear layers",
    )
)
def l2_norm(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l ‖w_l‖₂ over the weights of convolutions and linear layers.

    Source: Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, table 1.
    """
    return stack([layer.weight.norm() for layer in weight_layers(student.network)]).sum()
