"""Which student of a run to take: selected on the validation split, within intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from diswot.pipeline._verdict import WINNER, Alternative, Verdict, called
from diswot.search import Costs
from diswot.tasks import Difference, Measure
from diswot.tasks.images import accuracy, paired_difference

ALONE = "alone"


@dataclass(frozen=True)
class TrainedStudent:
    """A student of a run, as far as a verdict needs to know it.

    Attributes:
        label: what it is in the run: `winner`, `largest`, …
        name: its architecture.
        costs: parameters and multiply-adds.
        loss: what it was trained with; `alone` without the teacher.
        val: whether each image of the validation split is classified correctly (N,).
        test: the same of the test split (M,).
    """

    label: str
    name: str
    costs: Costs
    loss: str
    val: Tensor
    test: Tensor

    @property
    def size(self) -> tuple[int, int]:
        """Sort key, smaller is cheaper."""
        return self.costs.params, self.costs.macs

    def merit(self) -> tuple[int, int, int]:
        """Sort key, better is larger: validation accuracy, then cheapness."""
        return int(self.val.sum()), -self.costs.params, -self.costs.macs


def verdict(
    students: Sequence[TrainedStudent],
    *,
    teacher: Measure | None = None,
    failures: Mapping[str, str] | None = None,
    untrained: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
) -> Verdict:
    """Say which student to take: the smallest that is as good as the best.

    A student is as good as the one with the highest validation accuracy if the 95 % interval
    of their difference, paired over the validation images, includes 0. The test split selects
    nothing; what it says of the selection is in the notes.

    Args:
        students: every student that was trained, the winner of the search first. Those trained
            `alone` are not selected; they show what the teacher adds.
        teacher: its accuracy on the test split.
        failures: why students could not be trained, by label.
        untrained: labels of students that were not trained in full.
        seeds: of the trainings.

    Raises:
        ValueError: no student was distilled.
    """
    distilled = [student for student in students if student.loss != ALONE]
    if not distilled:
        raise ValueError("Expected at least one distilled student, but got none")
    best = max(distilled, key=TrainedStudent.merit)
    as_good = [each for each in distilled if _behind(each, best).low <= 0]
    smallest = min(each.size for each in as_good)
    taken = max((s for s in as_good if s.size == smallest), key=TrainedStudent.merit)
    others = _one_each(distilled, taken)
    return Verdict(
        take=taken.label,
        architecture=taken.name,
        loss=taken.loss,
        reason=_reason(taken, best, others),
        notes=(
            *_missing(failures or {}, untrained),
            *_notes(taken, others, students, teacher, seeds),
        ),
        alternatives=tuple(_alternative(each, taken) for each in others),
    )


def _behind(student: TrainedStudent, best: TrainedStudent) -> Difference:
    return paired_difference(best.val, student.val)


def _one_each(distilled: Sequence[TrainedStudent], taken: TrainedStudent) -> list[TrainedStudent]:
    """Return every other architecture by its better training."""
    found: dict[str, TrainedStudent] = {}
    for each in sorted(distilled, key=TrainedStudent.merit, reverse=True):
        if each.name != taken.name:
            found.setdefault(each.name, each)
    return list(found.values())


def _alternative(student: TrainedStudent, taken: TrainedStudent) -> Alternative:
    return Alternative(
        student.label,
        student.name,
        student.costs.params,
        paired_difference(student.val, taken.val),
        paired_difference(student.test, taken.test),
    )


def _reason(taken: TrainedStudent, best: TrainedStudent, others: Sequence[TrainedStudent]) -> str:
    if not others:
        return "It was compared with no other student."
    winner = next((each for each in others if each.label == WINNER), None)
    if taken.name != best.name:
        share = f"{taken.costs.params / best.costs.params:.0%}".replace("%", " %")
        advice = "" if winner is None else " Take it, or train with more seeds."
        reason = (
            f"On the validation split it is as good as {called(best.label, best.name)} within the "
            f"interval, {paired_difference(taken.val, best.val)}, with {share} of its "
            f"parameters.{advice}"
        )
    else:
        reason = f"It has the highest validation accuracy, {_rate(taken)}{_nearest(taken, others)}."
    if winner is not None and winner.name != best.name:
        behind = paired_difference(winner.val, taken.val)
        where = "behind" if behind.high < 0 else "no better within the interval"
        reason += (
            f" The winner of the search ({winner.name}) is {where} ({behind}): the search found "
            "nothing better than this baseline."
        )
    return reason


def _nearest(taken: TrainedStudent, others: Sequence[TrainedStudent]) -> str:
    """Say how far behind the best of the smaller students is."""
    smaller = [each for each in others if each.size < taken.size]
    if not smaller:
        return ", and is the smallest that was trained"
    near = max(smaller, key=TrainedStudent.merit)
    return (
        f"; the best of the smaller ones, {called(near.label, near.name)}, is behind, "
        f"{paired_difference(near.val, taken.val)}"
    )


def _missing(failures: Mapping[str, str], untrained: Sequence[str]) -> list[str]:
    """Say which students were not compared, and why."""
    notes = [f"{label} could not be trained: {why}." for label, why in failures.items()]
    if untrained:
        notes.append(f"Not trained in full, and so not compared: {', '.join(untrained)}.")
    return notes


def _notes(
    taken: TrainedStudent,
    others: Sequence[TrainedStudent],
    students: Sequence[TrainedStudent],
    teacher: Measure | None,
    seeds: Sequence[int],
) -> list[str]:
    reached = accuracy(int(taken.test.sum()), len(taken.test))
    notes = [f"Test accuracy, by which nothing was selected: {reached}."]
    for other in others:
        ahead = paired_difference(other.test, taken.test)
        if ahead.low > 0:
            notes.append(
                f"The test split disagrees: there {called(other.label, other.name)} is ahead, "
                f"{ahead}. Train with more seeds before you settle."
            )
    alone = next((s for s in students if s.loss == ALONE and s.name == taken.name), None)
    if alone is not None:
        gain = paired_difference(taken.test, alone.test)
        if gain.low <= 0:
            least = "loses" if gain.high < 0 else "adds nothing that these images can tell"
            notes.append(f"The teacher {least}: against training alone {gain} on the test split.")
    if teacher is not None and teacher.high < reached.low:
        notes.append(
            f"The teacher is behind its student ({teacher}): train it longer, or take a better one."
        )
    if len(set(seeds)) == 1:
        notes.append(
            f"One seed ({seeds[0]}): the intervals cover the choice of images, not that of the "
            "initialization; another seed can turn small differences around."
        )
    return notes


def _rate(student: TrainedStudent) -> str:
    return f"{float(student.val.double().mean()):.1%}".replace("%", " %")
