"""A training loss that is built for two networks: a weighted sum of terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses._term import Term, TrainingBatch
from diswot.networks import Activations, Watch
from diswot.networks.layout import Tap


@dataclass(frozen=True, eq=False)
class Losses:
    """The loss of one batch.

    Attributes:
        total: the weighted sum to minimize, a scalar tensor with gradient.
        terms: the weighted value of each term by its name in the expression, detached scalars.
    """

    total: Tensor
    terms: dict[str, Tensor]


class Criterion(nn.Module):
    """A weighted sum of terms.

    Its parameters (for example 1×1 convolutions that match widths) are trained together with
    the student; its `state_dict` is all that a resumed training must restore.

    Args:
        terms: the terms by name.
        weights: the weight of each term, in the same order.
    """

    def __init__(self, terms: dict[str, Term], weights: Sequence[float]) -> None:
        super().__init__()
        self._names = tuple(terms)
        self._weights = tuple(weights)
        self.terms = nn.ModuleList(terms.values())

    @property
    def _terms(self) -> list[Term]:
        return [cast(Term, term) for term in self.terms]

    @property
    def student_watches(self) -> tuple[Watch[Any], ...]:
        """Activations of the student to record in its forward pass."""
        return _watches(tap for term in self._terms for tap in term.student_taps)

    @property
    def teacher_watches(self) -> tuple[Watch[Any], ...]:
        """Activations of the teacher to record in its forward pass."""
        return _watches(tap for term in self._terms for tap in term.teacher_taps)

    @property
    def needs_preparation(self) -> bool:
        """Whether a term must first be trained on the teacher alone (see `prepare`)."""
        return any(term.needs_preparation for term in self._terms)

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train the parts of terms that are trained on the teacher alone.

        Args:
            batches: outputs of the teacher, batch by batch. They are iterated once per term, so
                a list or dataset is needed, not an iterator.
        """
        for term in self._terms:
            if term.needs_preparation:
                term.prepare(batches)

    def forward(
        self, student: Activations, teacher: Activations | None, batch: TrainingBatch
    ) -> Losses:
        """Return the loss of a batch, computed at least in fp32 (autocast is disabled).

        Args:
            student: outputs of the student; gradients flow into them.
            teacher: outputs of the first teacher; `None` without a teacher.
            batch: targets and other data of the batch.

        Raises:
            OptionError: a user's term does not return a scalar tensor.
        """
        with torch.autocast(student.output.device.type, enabled=False):
            values = {
                name: weight * _number(term(student, teacher, batch), name)
                for name, weight, term in zip(self._names, self._weights, self._terms, strict=True)
            }
        total = torch.stack([*values.values()]).sum()
        return Losses(total, {name: value.detach() for name, value in values.items()})


def _number(value: object, name: str) -> Tensor:
    """Check that a term, which can be a user's own, returned a scalar tensor.

    Raises:
        OptionError: it did not.
    """
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    raise OptionError(f"loss {name}: expected a tensor of one number, but got {got}: take its mean")


def _watches(taps: Iterable[Tap]) -> tuple[Watch[Any], ...]:
    return tuple(dict.fromkeys(watch for tap in taps for watch in tap.watches))
