"""The relation distillation loss of supernets on unlabeled texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diswot.losses import attention_relation_loss
from diswot.methods.supernet._slicing import run_sliced
from diswot.networks.attention import Attention, reading_last

OBJECTIVES = ("relations", "relations-raw")
"""Compare relations after the softmax (AutoDistil's paper) or before it (its code)."""


@dataclass(frozen=True)
class Relations:
    """The relation distillation loss of students that are slices of one supernet.

    Attributes:
        teacher: the teacher, which must be in evaluation mode.
        after_softmax: whether relations are compared after the softmax, or before it.
    """

    teacher: nn.Module
    after_softmax: bool = True

    @torch.no_grad()
    def target(self, *inputs: Tensor) -> Attention:
        """Return queries, keys and values of the teacher's last self-attention.

        Args:
            *inputs: token ids (B, L) and padding mask (B, L).
        """
        return last_attention_of(self.teacher, lambda: self.teacher(*inputs))

    def loss(
        self, supernet: nn.Module, student: nn.Module, target: Attention, *inputs: Tensor
    ) -> Tensor:
        """Return the loss of a student that uses slices of a supernet's weights, a scalar.

        Args:
            supernet: the supernet; gradients flow into the student's slices of its weights.
            student: the student's network, of which only structure and shapes are used.
            target: the teacher's last self-attention for the same batch.
            *inputs: token ids (B, L) and padding mask (B, L).
        """
        own = last_attention_of(student, lambda: run_sliced(supernet, student, *inputs))
        mask = inputs[-1].bool()
        return attention_relation_loss(own, target, mask, after_softmax=self.after_softmax)


def last_attention_of(network: nn.Module, run: Callable[[], object]) -> Attention:
    """Return queries, keys and values of a network's last self-attention.

    Args:
        network: the network.
        run: runs its forward pass.
    """
    with reading_last(network) as kept:
        run()
    return kept[-1]


def mean_loss(
    objective: Relations,
    supernet: nn.Module,
    students: Sequence[nn.Module],
    *inputs: Tensor,
) -> Tensor:
    """Return the loss of a batch, averaged over students that are slices of a supernet.

    Args:
        objective: the loss.
        supernet: the supernet.
        students: networks of the students, of which only structure and shapes are used.
        *inputs: token ids (B, L) and padding mask (B, L).
    """
    target = objective.target(*inputs)
    losses = [objective.loss(supernet, each, target, *inputs) for each in students]
    return torch.stack(losses).mean()
