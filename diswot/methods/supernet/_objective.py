"""Objectives of a supernet on unlabeled texts: the teacher's relations, or hidden tokens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diswot.losses import attention_relation_loss
from diswot.methods.supernet._slicing import run_sliced
from diswot.networks.attention import Attention, reading_last

OBJECTIVES = ("relations", "relations-raw")
"""Relations after the softmax, as in AutoDistil's paper, or before it, as in its code."""


@dataclass(frozen=True)
class Relations:
    """The relation distillation loss of students that are slices of one supernet.

    Attributes:
        teacher: is read in evaluation mode.
        after_softmax: where relations are compared.
    """

    teacher: nn.Module
    after_softmax: bool = True

    @torch.no_grad()
    def target(self, *inputs: Tensor) -> Attention:
        """Return what the teacher's last self-attention computes of a batch."""
        return last_attention_of(self.teacher, lambda: self.teacher(*inputs))

    def loss(
        self, supernet: nn.Module, student: nn.Module, target: Attention, *inputs: Tensor
    ) -> Tensor:
        """Return the loss of a student on the weights that it has in a supernet.

        Args:
            supernet: gradients flow into the student's slices of it.
            student: its shapes and form.
            target: of the teacher, on the same batch.
            *inputs: numbers of tokens (B, L), and where they are text (B, L).
        """
        own = last_attention_of(student, lambda: run_sliced(supernet, student, *inputs))
        mask = inputs[-1].bool()
        return attention_relation_loss(own, target, mask, after_softmax=self.after_softmax)


def last_attention_of(network: nn.Module, run: Callable[[], object]) -> Attention:
    """Return what the last self-attention of a network computes while it is run."""
    with reading_last(network) as kept:
        run()
    return kept[-1]


def mean_loss(
    objective: Relations,
    supernet: nn.Module,
    students: Sequence[nn.Module],
    *inputs: Tensor,
) -> Tensor:
    """Return the mean loss of students on a batch, each on its slices."""
    target = objective.target(*inputs)
    losses = [objective.loss(supernet, each, target, *inputs) for each in students]
    return torch.stack(losses).mean()
