"""What a scorer is, and what it says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from diswot.networks import Activations, Watch
from diswot.networks.costs import Costs
from diswot.networks.probe import Probe
from diswot.scorers._formula import Formula

Term: TypeAlias = Callable[[Probe, Activations], Tensor | float]
"""(student, teacher) → one number, higher is better."""


@dataclass(frozen=True)
class Card:
    """What a caller must know of a scorer.

    Attributes:
        name: what it is called on the command line.
        summary: one line.
        source: paper and equation.
        needs_teacher: whether it reads the teacher.
        teacher_state: the weights that it is made to see the teacher with, where it reads it:
            `random` ones, as in most papers, or `trained`.
        needs_labels: whether it reads the labels of the batch.
        needs_gradients: whether it takes gradients of the forward pass.
        cost: passes through the student per repeat, where it is the only scorer.
        supports: networks that it can score.
        reads: what it reads of the networks that not every task gives, by the names of
            `diswot.tasks.Task.reads`; labels where it needs them.
        examples: of a batch, with which its figures were measured; the default of `batch_size`.
        repeats: initializations and batches of them; the default of `repeats`.
        version: of its definition, from 2 on where that has changed; version 1 of the scorer `a`
            is the scorer `a_1`.
    """

    name: str
    summary: str
    source: str
    needs_teacher: bool = True
    teacher_state: Literal["random", "trained"] = "random"
    needs_labels: bool = False
    needs_gradients: bool = False
    cost: str = "one forward pass"
    supports: str = "networks with a last feature map and a linear classifier"
    reads: tuple[str, ...] = ()
    examples: int = 64
    repeats: int = 3
    version: int = 1

    def __post_init__(self) -> None:
        if self.needs_labels and "labels" not in self.reads:
            object.__setattr__(self, "reads", (*self.reads, "labels"))


@dataclass(frozen=True)
class CostTerm:
    """A term that reads nothing but what an architecture costs."""

    read: Callable[[Costs], float]

    def __call__(self, student: Probe, _teacher: Activations) -> float:
        """Return the value of the term."""
        return self.read(student.costs)


@dataclass(frozen=True)
class Scorer:
    """One or more terms read from the same passes, and how they become one score.

    Attributes:
        card: what a caller must know.
        terms: by name.
        formula: how they are combined.
        watches: what the forward pass must keep for them.
        teacher_watches: what the teacher's forward pass must keep.
        versions: of the scorers in it whose definition has changed, by their names.
    """

    card: Card
    terms: Mapping[str, Term]
    formula: Formula
    watches: tuple[Watch[Any], ...] = ()
    teacher_watches: tuple[Watch[Any], ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, student: Probe, teacher: Activations) -> dict[str, float]:
        """Return the value of every term."""
        with torch.no_grad():
            return {name: float(term(student, teacher)) for name, term in self.terms.items()}
