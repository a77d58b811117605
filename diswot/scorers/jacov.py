"""Jacobian covariance: how different the input gradients of a batch's images are."""

import torch
from torch import Tensor

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

OFFSET = 1e-5
"""k of the paper, which keeps the logarithm and the quotient finite."""


@register(
    Card(
        "jacov",
        "how uncorrelated the input gradients of different images are",
        "Mellor et al., Neural Architecture Search without Training, 2020, arXiv 2006.04647v1, "
        "equation 2",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
        reads=("real inputs",),
    )
)
def jacov(student: Probe, _teacher: Activations) -> Tensor:
    """Return −Σ_i [ln(v_i + k) + 1/(v_i + k)], where k = 10⁻⁵.

    Source: Mellor et al., arXiv 2006.04647v1, equation 2. v_i are the eigenvalues of the
    correlation matrix (B, B) of the images' input gradients.

    Raises:
        NetworkError: the logits do not depend on an image, or equally on all of its pixels.
    """
    eigenvalues: Tensor = torch.linalg.eigvalsh(student.once(gradient_correlations)) + OFFSET
    return -(eigenvalues.log() + 1 / eigenvalues).sum()


def gradient_correlations(student: Probe) -> Tensor:
    """Return the correlations (B, B) between the images' gradients of the sum of logits.

    Args:
        student: the network with its batch of B images.

    Raises:
        NetworkError: the gradient of an image is constant, so its correlation is undefined.
    """
    rows = student.input_gradients.flatten(1).double()
    correlations = torch.corrcoef(rows).reshape(len(rows), len(rows))
    if not correlations.isfinite().all():
        raise NetworkError(
            "the gradient of the logits does not vary over the pixels of an image, so images "
            "have no correlation: the network's output is constant; use another scorer for it"
        )
    return correlations
