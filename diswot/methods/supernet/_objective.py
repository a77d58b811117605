"""Objectives of a supernet without labels: the teacher's relations, or hidden tokens."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from diswot.losses import attention_relation_loss
from diswot.methods.supernet._slicing import run_sliced
from diswot.networks.attention import Attention, reading_last
from diswot.tasks import Batch, Metric
from diswot.tasks.text import MaskedLanguageModel, TextData, masked_lm_loss

OBJECTIVES = ("relations", "relations-raw", "masked-lm")
"""Relations after the softmax, as in AutoDistil's paper, or before it, as in its code; or
masked-language modeling, the paper's baseline, which needs no teacher."""


class Objective(Protocol):
    """Interface of the training objective of a supernet's students.

    Attributes:
        name: name in options and messages.
        measured: name of its mean on a split.
        unit: unit of that mean.
    """

    @property
    def name(self) -> str: ...
    @property
    def measured(self) -> str: ...
    @property
    def unit(self) -> str: ...

    def data(self, texts: TextData, metrics: tuple[Metric, ...]) -> TextData:
        """Return the texts to train on, without labels."""

    def target(self, batch: Batch) -> Any:
        """Return the target of a batch, which all students of a step share."""

    def loss(
        self,
        supernet: nn.Module,
        student: nn.Module,
        target: Any,
        batch: Batch,
        *,
        by_text: bool = False,
    ) -> Tensor:
        """Return the loss of a student with its slices of a supernet's weights.

        Args:
            supernet: the supernet, into whose weights gradients flow.
            student: the network of the student, on the meta device.
            target: the target of the batch.
            batch: token ids (B, L) and attention mask (B, L).
            by_text: whether to return the loss of each text, (B,).
        """


@dataclass(frozen=True)
class Relations:
    """The relation distillation loss of students that are slices of one supernet.

    Attributes:
        teacher: the teacher, which must be in evaluation mode.
        after_softmax: whether relations are compared after the softmax, or before it.
    """

    teacher: nn.Module
    after_softmax: bool = True
    measured = "relation loss"
    unit = ""

    @property
    def name(self) -> str:
        """`relations` after the softmax, `relations-raw` before it."""
        return OBJECTIVES[0 if self.after_softmax else 1]

    def data(self, texts: TextData, metrics: tuple[Metric, ...]) -> TextData:
        """Return the texts as they are, without labels."""
        return texts.without_labels(metrics)

    @torch.no_grad()
    def target(self, batch: Batch) -> Attention:
        """Return what the teacher's last self-attention computes of a batch."""
        return last_attention_of(self.teacher, lambda: self.teacher(*batch.inputs))

    def loss(
        self,
        supernet: nn.Module,
        student: nn.Module,
        target: Attention,
        batch: Batch,
        *,
        by_text: bool = False,
    ) -> Tensor:
        """Return how far a student's relations are from the teacher's."""
        own = last_attention_of(student, lambda: run_sliced(supernet, student, *batch.inputs))
        mask = batch.inputs[-1].bool()
        return attention_relation_loss(
            own, target, mask, after_softmax=self.after_softmax, by_text=by_text
        )


@dataclass(frozen=True)
class HiddenTokens:
    """Masked-language modeling of students that are slices of one supernet; no teacher is read."""

    name = OBJECTIVES[2]
    measured = "masked-LM loss"
    unit = "nats"

    def data(self, texts: TextData, metrics: tuple[Metric, ...]) -> TextData:
        """Return the texts with hidden tokens."""
        return texts.masked(metrics)

    def target(self, batch: Batch) -> Tensor:
        """Return the hidden tokens."""
        truth: Tensor = batch.targets
        return truth

    def loss(
        self,
        supernet: nn.Module,
        student: nn.Module,
        target: Tensor,
        batch: Batch,
        *,
        by_text: bool = False,
    ) -> Tensor:
        """Return the cross-entropy of the hidden tokens."""
        model = MaskedLanguageModel(student)
        predicted = run_sliced(MaskedLanguageModel(supernet), model, *batch.inputs)
        return masked_lm_loss(predicted, target, by_text=by_text)


def objective_of(name: str, teacher: nn.Module) -> Objective:
    """Return the objective of a name of `OBJECTIVES`."""
    if name == HiddenTokens.name:
        return HiddenTokens()
    return Relations(teacher, after_softmax=name == OBJECTIVES[0])


def last_attention_of(network: nn.Module, run: Callable[[], object]) -> Attention:
    """Return queries, keys and values of a network's last self-attention.

    Args:
        network: the network.
        run: runs its forward pass.
    """
    with reading_last(network) as kept:
        run()
    return kept[-1]
