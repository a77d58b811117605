"""The types `Scorer` and `Card`: a score, and what callers must know about it."""

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
    """What a caller must know about a scorer.

    Attributes:
        name: name on the command line.
        summary: description in one line.
        source: paper and equation.
        needs_teacher: whether it reads the teacher's activations.
        teacher_state: the teacher's weights for which the scorer was designed: `random`, as in
            most papers, or `trained`.
        needs_labels: whether it reads the labels of the batch.
        needs_gradients: whether it needs gradients of the forward pass.
        cost: passes through the student per repeat, if it is the only scorer.
        supports: description of the networks that it can score.
        reads: what it reads that networks of some tasks lack, by the names of
            `diswot.tasks.Task.reads`; "labels" is added if it needs them.
        examples: batch size with which it was evaluated; the default of `batch_size`.
        repeats: initializations and batches with which it was evaluated; the default of
            `repeats`.
        version: version of its definition; version 1 of a changed scorer `a` is kept as `a_1`.
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
    """A term that depends only on an architecture's costs.

    Attributes:
        read: (costs) → value of the term.
    """

    read: Callable[[Costs], float]

    def __call__(self, student: Probe, _teacher: Activations) -> float:
        """Return the value of the term for the student's costs."""
        return self.read(student.costs)


@dataclass(frozen=True)
class Scorer:
    """One or more terms computed in the same passes, and the formula that combines them.

    Attributes:
        card: name, source and requirements.
        terms: (student, teacher) → value, by name.
        formula: how the terms are combined into one score.
        watches: activations of the student to record in its forward pass.
        teacher_watches: activations of the teacher to record in its forward pass.
        versions: version of each contained scorer whose definition has changed, by name.
    """

    card: Card
    terms: Mapping[str, Term]
    formula: Formula
    watches: tuple[Watch[Any], ...] = ()
    teacher_watches: tuple[Watch[Any], ...] = ()
    versions: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, student: Probe, teacher: Activations) -> dict[str, float]:
        """Return the value of every term by name, computed without gradient tracking."""
        with torch.no_grad():
            return {name: float(term(student, teacher)) for name, term in self.terms.items()}
