"""GraSP: how much each weight contributes to the gradient flow."""

from torch import Tensor, enable_grad, stack

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "grasp",
        "sum of weight · (Hessian · gradient)",
        "Wang et al., GraSP, ICLR 2020, equation 8, with the sign of Abdelfattah et al., "
        "Zero-Cost Proxies for Lightweight NAS, ICLR 2021, equation 1",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and two backward passes, the second through the first",
        supports="networks that return logits and a second derivative",
    )
)
def grasp(student: Probe, _teacher: Activations) -> Tensor:
    """Return −Σ w · (H g) over the weights of convolutions and linear layers.

    Source: Wang et al., GraSP, ICLR 2020, equation 8, with the sign of Abdelfattah et al., ICLR
    2021, equation 1. g is the gradient of the loss for these weights, H its Hessian.
    Deviation: temperature 1 and one batch; the paper uses 200 and a separate batch for g.
    """
    weights = [layer.weight for layer in weight_layers(student.network)]
    gradients = student.gradients(student.loss, weights, create_graph=True)
    with enable_grad():
        # The derivative of g · constant(g) is H g.
        product = stack([(g * g.detach()).sum() for g in gradients]).sum()
    curved = student.gradients(product, weights)
    return -stack([(w * hg).sum() for w, hg in zip(weights, curved, strict=True)]).sum()
