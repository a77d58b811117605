"""MeCo: how far the channels of each layer are from depending on one another."""

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.networks import Activations, Watch
from diswot.networks.layers import convolutions
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register
from diswot.scorers.positions import channels


def _least_eigenvalue(_given: Tensor, output: Tensor) -> Tensor:
    """Return the least eigenvalue of the correlations between the first image's channels.

    In double precision, in which a constant channel has a deviation of exactly zero. It is
    zero where there are no more positions than channels, whose correlations then depend
    on one another.
    """
    values = channels(output[:1].detach()).double()
    # Fewer positions than channels: the correlations are singular.
    if len(values) <= values.shape[1]:
        return values.new_zeros(())
    # Standardized columns: their products are the Pearson correlations.
    unit = F.normalize(values - values.mean(dim=0), dim=0, eps=torch.finfo(torch.double).tiny)
    least: Tensor = torch.linalg.eigvalsh(unit.T @ unit)[0]
    return least


LEAST_EIGENVALUE = Watch(convolutions, _least_eigenvalue)


@register(
    Card(
        "meco",
        "least eigenvalue of the correlations between channels, summed over layers",
        "Jiang et al., MeCo, NeurIPS 2023, definition 3, equation 12",
        needs_teacher=False,
        supports="networks of several convolutions, or of linear layers",
    ),
    watches=[LEAST_EIGENVALUE],
)
def meco(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l λ_min(P_l), P_l the Pearson correlations (C, C) of the channels of layer l.

    The layers are the convolutions (the released code takes the output of every module,
    containers included), and of networks with one convolution at most the linear layers
    too. The image is the first of the batch, as it is in the pass of the whole batch,
    where the released code runs a network on one image of noise; tokens count as
    positions. As there, correlations with a constant channel are 0, its own included.
    Transformers have more channels than positions, so that all layers give 0.
    """
    return torch.stack(student.watched(LEAST_EIGENVALUE)).sum()
