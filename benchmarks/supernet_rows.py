"""Rows of the tables of supernets."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StudentRow:
    """One student with one seed.

    Attributes:
        seed: of supernets and student.
        student: its architecture.
        params: its parameters.
        losses: held-out relation loss in the supernets of `relations-3` and `relations-1`.
        accuracies: on the test split after training on the labels, by what it started from, in %.
        student_fit: its score before any training.
    """

    seed: int
    student: str
    params: int
    losses: Mapping[str, float]
    accuracies: Mapping[str, float]
    student_fit: float


@dataclass(frozen=True)
class ClaimRow:
    """One comparison.

    Attributes:
        claim: what is compared.
        one: mean over the seeds of the first.
        other: mean over the seeds of the second; of a correlation nothing.
        difference: mean of one − other, or the correlation itself.
        by_seed: the same of each seed.
        p: of a t-test of these over the seeds, two-sided.
    """

    claim: str
    one: float
    other: float | None
    difference: float
    by_seed: tuple[float, ...]
    p: float
