"""A training loss made for two networks: a weighted sum of terms."""

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
    """What a criterion found for one batch.

    Attributes:
        total: what is minimized, without dimensions.
        terms: the weighted value of each term, by its name in the expression; detached.
    """

    total: Tensor
    terms: dict[str, Tensor]


class Criterion(nn.Module):
    """A weighted sum of terms.

    Its parameters (projections of widths, for example) are trained with the student;
    its state is all that a resumed training must restore.

    Args:
        terms: by name.
        weights: of each.
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
        """What a pass of the student must keep."""
        return _watches(tap for term in self._terms for tap in term.student_taps)

    @property
    def teacher_watches(self) -> tuple[Watch[Any], ...]:
        """What a pass of the teacher must keep."""
        return _watches(tap for term in self._terms for tap in term.teacher_taps)

    @property
    def needs_preparation(self) -> bool:
        """Whether a term has parts that are trained on the teacher first."""
        return any(term.needs_preparation for term in self._terms)

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train the parts of terms that are trained on the teacher alone.

        Args:
            batches: outputs of the teacher, batch by batch; they are gone through again for
                every term that learns, so it must not be an iterator.
        """
        for term in self._terms:
            if term.needs_preparation:
                term.prepare(batches)

    def forward(
        self, student: Activations, teacher: Activations | None, batch: TrainingBatch
    ) -> Losses:
        """Return the loss of a batch, computed in single precision at least."""
        with torch.autocast(student.output.device.type, enabled=False):
            values = {
                name: weight * _number(term(student, teacher, batch), name)
                for name, weight, term in zip(self._names, self._weights, self._terms, strict=True)
            }
        total = torch.stack([*values.values()]).sum()
        return Losses(total, {name: value.detach() for name, value in values.items()})


def _number(value: object, name: str) -> Tensor:
    """Return what a term, which can be a user's own, found.

    Raises:
        OptionError: it is not one number as a tensor.
    """
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
    raise OptionError(f"loss {name}: expected a tensor of one number, but got {got}: take its mean")


def _watches(taps: Iterable[Tap]) -> tuple[Watch[Any], ...]:
    return tuple(dict.fromkeys(watch for tap in taps for watch in tap.watches))
