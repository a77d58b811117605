"""GradNorm: the norm of the loss gradient."""

from torch import Tensor, stack

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "grad_norm",
        "sum over layers of the norm of the gradient",
        "Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021, section 3.2",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
    )
)
def grad_norm(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l ‖∂L/∂w_l‖₂ over the weights of convolutions and linear layers.

    Source: Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021, section 3.2.
    L is the mean cross-entropy of the batch.
    """
    return stack([gradient.norm() for _, gradient in student.weight_gradients]).sum()
