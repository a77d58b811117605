"""GradSign: how often images agree on the sign of a weight's gradient."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.layers import weight_layers
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._passes import EachImageAlone, loss_gradients
from diswot.scorers._registry import register


@register(
    Card(
        "gradsign",
        "agreement between images on the signs of the weights' gradients",
        "Zhang and Jia, GradSign, ICLR 2022, the GradSign statistic",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="a forward and a backward pass of each image",
        supports="networks that return logits",
    )
)
def gradsign(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_w |Σ_i sign(∂L_i/∂w)|, where L_i is the cross-entropy of image i.

    Source: Zhang and Jia, GradSign, ICLR 2022. As in the released code, w are the weights of
    convolutions and linear layers, and each image is a batch of its own, so that batch
    normalization uses the statistics of that image. A loop over images is nearly as fast as the
    batch, and faster than `vmap` over convolutions.

    Raises:
        NetworkError: a batch normalization sees only one value per channel of an image.
    """
    totals = [torch.zeros_like(layer.weight) for layer in weight_layers(student.network)]
    # Sum the signs of the gradients of single images; agreement makes sums large.
    for index in range(len(student.targets)):
        with EachImageAlone():
            gradients = loss_gradients(student, slice(index, index + 1))
        for total, gradient in zip(totals, gradients, strict=True):
            total += gradient.sign()
    return torch.stack([total.abs().sum(dtype=torch.double) for total in totals]).sum()
