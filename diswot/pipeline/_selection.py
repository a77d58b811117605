"""Select the student to use on the validation split, and explain the choice in sentences."""

from collections.abc import Mapping, Sequence

from diswot.pipeline._comparing import Comparison, TrainedStudent
from diswot.pipeline._verdict import WINNER, Alternative, Verdict, called
from diswot.tasks import Dataset, Measure
from diswot.training import parse_objective


def verdict(
    students: Sequence[TrainedStudent],
    dataset: Dataset,
    *,
    teacher: Measure | None = None,
    failures: Mapping[str, str] | None = None,
    untrained: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
) -> Verdict:
    """Select the student to use: the smallest that is not significantly worse than the best.

    A student is not significantly worse than the one with the best measure on the validation
    split if the 95 % interval of their difference, paired by example, includes 0. The test
    split is not used for the selection; the notes say how students compare on it.

    Args:
        students: all trained students, the winner of the search first. Those trained without
            the teacher are not selected; they are used to say what the teacher adds.
        dataset: the dataset, whose first metric compares them.
        teacher: the teacher's measure on the test split.
        failures: error messages of trainings that failed, by label.
        untrained: labels of students that were not fully trained.
        seeds: seeds of the trainings.

    Returns:
        The choice with reasons and alternatives.

    Raises:
        ValueError: no student was distilled.
    """
    compare = Comparison(dataset)
    distilled = [student for student in students if not is_alone(student.loss)]
    if not distilled:
        raise ValueError("Expected at least one distilled student, but got none")
    # 1. The best on the validation split. 2. All that are not significantly worse. 3. The
    # smallest of these, and of its trainings the best.
    best = max(distilled, key=compare.merit)
    as_good = [item for item in distilled if not compare.is_better(best, item, "val")]
    smallest = min(item.size for item in as_good)
    taken = max((s for s in as_good if s.size == smallest), key=compare.merit)
    others = _one_each(distilled, taken, compare)
    return Verdict(
        take=taken.label,
        architecture=taken.name,
        loss=taken.loss,
        reason=_reason(taken, best, others, compare),
        notes=(
            *_missing(failures or {}, untrained),
            *_notes(taken, others, compare),
            *_of_teacher(taken, students, compare, teacher=teacher),
            *_of_seeds(seeds, compare.task.noun),
        ),
        alternatives=tuple(_alternative(item, taken, compare) for item in others),
    )


def is_alone(loss: str) -> bool:
    """Return whether students with this loss are trained without a teacher."""
    return not parse_objective(loss).needs_teacher


def _one_each(
    distilled: Sequence[TrainedStudent], selected: TrainedStudent, compare: Comparison
) -> list[TrainedStudent]:
    """Return the best training of every architecture other than the selected one."""
    results: dict[str, TrainedStudent] = {}
    for item in sorted(distilled, key=compare.merit, reverse=True):
        if item.name != selected.name:
            results.setdefault(item.name, item)
    return list(results.values())


def _alternative(
    student: TrainedStudent, selected: TrainedStudent, compare: Comparison
) -> Alternative:
    return Alternative(
        student.label,
        student.name,
        student.costs.params,
        compare.difference(student, selected, "val"),
        compare.difference(student, selected, "test"),
    )


def _reason(
    selected: TrainedStudent,
    best: TrainedStudent,
    others: Sequence[TrainedStudent],
    compare: Comparison,
) -> str:
    if not others:
        return "No other student was trained for comparison."
    winner = next((other for other in others if other.label == WINNER), None)
    if selected.name != best.name:
        share = f"{selected.costs.params / best.costs.params:.0%}".replace("%", " %")
        advice = "" if winner is None else " Take it, or train with more seeds."
        reason = (
            f"On the validation split it is as good as {called(best.label, best.name)} within the "
            f"interval, {compare.difference(selected, best, 'val')}, with {share} of its "
            f"parameters.{advice}"
        )
    else:
        measure = compare.measure(selected, "val")
        most = "highest" if measure.higher_is_better else "lowest"
        nearest = _nearest(selected, others, compare)
        reason = f"It has the {most} validation {measure.name}, {measure.brief}{nearest}."
    if winner is not None and winner.name != best.name:
        behind = compare.difference(winner, selected, "val")
        where = (
            "behind"
            if compare.is_better(selected, winner, "val")
            else "no better within the interval"
        )
        reason += (
            f" The winner of the search ({winner.name}) is {where} ({behind}): the search found "
            "nothing better than this baseline."
        )
    return reason


def _nearest(
    selected: TrainedStudent, others: Sequence[TrainedStudent], compare: Comparison
) -> str:
    """Return a phrase on how far behind the best of the smaller students is."""
    smaller = [other for other in others if other.size < selected.size]
    if not smaller:
        return ", and is the smallest that was trained"
    near = max(smaller, key=compare.merit)
    return (
        f"; the best of the smaller ones, {called(near.label, near.name)}, is behind, "
        f"{compare.difference(near, selected, 'val')}"
    )


def _missing(failures: Mapping[str, str], untrained: Sequence[str]) -> list[str]:
    """Return notes on the students that were not compared, and why."""
    notes = [f"{label} could not be trained: {why}." for label, why in failures.items()]
    if untrained:
        notes.append(f"Not trained in full, and so not compared: {', '.join(untrained)}.")
    return notes


def _notes(
    selected: TrainedStudent, others: Sequence[TrainedStudent], compare: Comparison
) -> list[str]:
    """Return notes on the test measure, and on students that are better on the test split."""
    reached = compare.measure(selected, "test")
    ahead = [other for other in others if compare.is_better(other, selected, "test")]
    return [
        f"Test {reached.name} (the test split is not used for selection): {reached}.",
        *(
            f"The test split disagrees: there {called(other.label, other.name)} is ahead, "
            f"{compare.difference(other, selected, 'test')}. "
            "Train with more seeds before you decide."
            for other in ahead
        ),
    ]


def _of_teacher(
    selected: TrainedStudent,
    students: Sequence[TrainedStudent],
    compare: Comparison,
    *,
    teacher: Measure | None,
) -> list[str]:
    """Return notes if the teacher does not improve the student, or is worse than its student."""
    notes = []
    plain = next((s for s in students if is_alone(s.loss) and s.name == selected.name), None)
    if plain is not None and not compare.is_better(selected, plain, "test"):
        worse = compare.is_better(plain, selected, "test")
        least = "loses" if worse else f"adds nothing measurable on these {compare.task.noun}s"
        gain = compare.difference(selected, plain, "test")
        notes.append(f"The teacher {least}: against training alone {gain} on the test split.")
    reached = compare.measure(selected, "test")
    if teacher is not None and _is_behind(teacher, reached):
        notes.append(
            f"The teacher is behind its student ({teacher}): train it longer, or take a better one."
        )
    return notes


def _is_behind(one: Measure, other: Measure) -> bool:
    """Return whether one measure is worse than another, with disjoint intervals."""
    return one.high < other.low if one.higher_is_better else one.low > other.high


def _of_seeds(seeds: Sequence[int], noun: str) -> list[str]:
    if len(set(seeds)) > 1:
        return []
    return [
        f"One seed ({seeds[0]}): the intervals cover the sampling of {noun}s, not the variation "
        f"between initializations; another seed can reverse small differences."
    ]
