"""Plain: the first-order change of the loss when all weights are scaled."""

from torch import Tensor, stack

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "plain",
        "sum of weight · gradient",
        "Mozer and Smolensky, Skeletonization, NeurIPS 1988, summed as in Abdelfattah et al., "
        "Zero-Cost Proxies for Lightweight NAS, ICLR 2021, section 3.2",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
    )
)
def plain(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ w · ∂L/∂w over the weights of convolutions and linear layers.

    Source: Mozer and Smolensky, Skeletonization, NeurIPS 1988, summed as in Abdelfattah et al.,
    ICLR 2021, section 3.2. A layer followed by normalization contributes only rounding errors:
    the loss does not depend on the scale of its weight, so its sum is zero (Euler's theorem).
    """
    return stack(
        [(layer.weight * gradient).sum() for layer, gradient in student.weight_gradients]
    ).sum()
