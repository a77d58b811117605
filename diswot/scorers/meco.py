"""MeCo: how uncorrelated the channels of each layer are."""

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

    Computed in double precision, so that a constant channel has a deviation of exactly zero.
    """
    values = channels(output[:1].detach()).double()
    # With no more positions than channels, the correlation matrix is singular.
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
        "smallest eigenvalue of the channels' correlation matrix, summed over layers",
        "Jiang et al., MeCo, NeurIPS 2023, definition 3, equation 12",
        needs_teacher=False,
        supports="networks of several convolutions, or of linear layers",
    ),
    watches=[LEAST_EIGENVALUE],
)
def meco(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_l λ_min(P_l), where P_l (C, C) are the correlations of layer l's channels.

    Source: Jiang et al., MeCo, NeurIPS 2023, definition 3, equation 12. Layers are the
    convolutions, and in networks with at most one convolution also the linear layers.
    Correlations are Pearson's, over the positions (or tokens) of the first image of the batch;
    those with a constant channel are 0, also with itself.

    Deviations: the released code uses the output of every module, containers included, and one
    image of noise. Transformers usually have more channels than positions, which makes the
    score 0.
    """
    return torch.stack(student.watched(LEAST_EIGENVALUE)).sum()
