"""Rows of the tables of supernets."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SupernetRow:
    """The supernets of one setting and one seed.

    Attributes:
        objective: training objective, `relations` or `masked-lm`.
        supernets: number of supernets.
        epochs: epochs of all supernets together; each has an equal share.
        seed: random seed.
        loss: mean held-out relation loss of all students of the space; `None` for `masked-lm`.
        loss_by_part: the same for the students of each sub-space.
        training_seconds: CPU seconds of the training, one thread.
        search_seconds: CPU seconds in which the held-out loss of all students was measured.
    """

    objective: str
    supernets: int
    epochs: int
    seed: int
    loss: float | None
    loss_by_part: Mapping[str, float]
    training_seconds: float
    search_seconds: float


@dataclass(frozen=True)
class StudentRow:
    """One student with one seed.

    Attributes:
        seed: seed of supernets and student.
        student: architecture.
        part: sub-space.
        params: number of parameters.
        loss: held-out relation loss as a slice of its supernet.
        val: validation accuracy in % after training on the labels, by initial weights.
        test: test accuracy in %, by initial weights.
        student_fit: score before any training.
    """

    seed: int
    student: str
    part: str
    params: int
    loss: float
    val: Mapping[str, float]
    test: Mapping[str, float]
    student_fit: float


@dataclass(frozen=True)
class ClaimRow:
    """One comparison.

    Attributes:
        claim: what is compared.
        one: mean over the seeds of the first.
        other: mean over the seeds of the second; `None` for a correlation.
        difference: mean of one − other, or the correlation itself.
        low: lower end of the 95 % interval of the difference: Student's t over seeds, or, where
            there is no value for each seed, the bootstrap over students.
        high: upper end of this interval.
        by_seed: difference for each seed.
        p: two-sided p-value of a paired t-test over the seeds; `None` without values by seed.
    """

    claim: str
    one: float
    other: float | None
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    p: float | None


@dataclass(frozen=True)
class CostRow:
    """The student that one method selected, after its training, with one seed.

    Attributes:
        method: `supernet`, or `distillation` (selected by `student_fit`, without training).
        loss: loss of the training on the labels, `alone` or `kd`.
        seed: random seed.
        student: architecture.
        params: number of parameters.
        supernet_epochs: epochs of all supernets together; 0 without supernets.
        epochs: epochs of the training on the labels.
        seconds: CPU seconds of supernets, selection and training, one thread.
        relation_loss: relation loss on the test split after training.
        test: test accuracy in %.
    """

    method: str
    loss: str
    seed: int
    student: str
    params: int
    supernet_epochs: int
    epochs: int
    seconds: float
    relation_loss: float
    test: float
