"""A random number: a control, to see what a score without information reaches."""

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "null",
        "a random number, a control",
        "chance",
        needs_teacher=False,
        cost="nothing",
        supports="any network",
    )
)
def null(student: Probe, _teacher: Activations) -> Tensor:
    """Return a random number in [0, 1), drawn for every architecture and repeat."""
    return torch.rand((), generator=student.generator("null"))
