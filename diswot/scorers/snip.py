"""SNIP: estimated change of the loss when each weight is removed."""

from torch import Tensor, stack

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "snip",
        "sum of |weight · gradient|",
        "Lee et al., SNIP, ICLR 2019, equation 4, summed as in Abdelfattah et al., "
        "Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
    )
)
def snip(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ |w · ∂L/∂w| over the weights of convolutions and linear layers.

    Source: Lee et al., SNIP, ICLR 2019, equation 4, summed as in Abdelfattah et al., ICLR 2021.
    L is the mean cross-entropy of the batch.
    """
    return stack(
        [(layer.weight * gradient).abs().sum() for layer, gradient in student.weight_gradients]
    ).sum()
