"""ZiCo: mean of gradients relative to their variation between batches."""

import torch
from torch import Tensor

from diswot.errors import DataError
from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._passes import loss_gradients
from diswot.scorers._registry import register


@register(
    Card(
        "zico",
        "mean of |gradient| divided by its standard deviation over two halves of the batch",
        "Li et al., ZiCo, ICLR 2023, equation 15, with the deviation of the released code",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="a forward and a backward pass of each half of the batch",
        supports="networks that return logits",
    )
)
def zico(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l ln Σ_w mean(|g_w|) / std(g_w) over the two halves of the batch.

    Source: Li et al., ZiCo, ICLR 2023, equation 15. l are the convolutions and linear layers, w
    their weights, and g the gradients of the mean cross-entropy of one half. Weights with
    std(g_w) = 0 are left out, and layers with such weights only. As in the released code, std
    is the standard deviation of g with divisor 2; in the paper it is that of |g|.

    Raises:
        DataError: the batch has fewer than two examples.
    """
    size = len(student.targets)
    if size < 2:
        raise DataError("zico needs a batch of at least 2 examples, but got 1: use a larger batch")
    # One gradient per half batch, then mean over deviation of each weight, layer by layer.
    middle = (size + 1) // 2
    halves = [loss_gradients(student, half) for half in (slice(middle), slice(middle, None))]
    sums = torch.stack([_inverse_variation(torch.stack(g)) for g in zip(*halves, strict=True)])
    # Leave out layers whose gradients do not vary: the logarithm of 0 is not finite.
    return sums[sums > 0].log().sum()


def _inverse_variation(gradients: Tensor) -> Tensor:
    """Return Σ_w mean(|g_w|) / std(g_w) for one layer's gradients (batches, …)."""
    deviation = gradients.double().std(dim=0, correction=0)
    mean = gradients.double().abs().mean(dim=0)
    return (mean / deviation)[deviation > 0].sum()
