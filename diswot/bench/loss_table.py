"""Comparison of distillation losses: trainings over seeds, and paired tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import false_discovery_control

from diswot.bench.paired import paired_p
from diswot.bench.rank_statistics import Vector
from diswot.bench.trainings import Trainings, TrainingSettings, distillation_for, student_of
from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.tasks.images import load_data
from diswot.training import parse_objective

SIGNIFICANT = 0.05
ALONE = "alone"


@dataclass(frozen=True)
class LossTableSettings(TrainingSettings):
    """Settings of `loss_table`.

    Attributes:
        students: names of students, see [`student_of`][diswot.bench.trainings.student_of].
        losses: names or expressions of losses; `alone` is added if missing.
        seeds: number of trainings per student and loss. Trainings of one seed have the same
            initialization and batches with every loss.
    """

    students: tuple[str, ...] = ()
    losses: tuple[str, ...] = (ALONE, "diswot", "diswot-dagger")
    seeds: int = 3


@dataclass(frozen=True)
class LossRow:
    """Results of one student trained with one loss.

    Attributes:
        data: name of the dataset.
        teacher: name of the teacher.
        teacher_accuracy: test accuracy of the teacher in %.
        student: name of the student.
        loss: name or expression of the loss.
        epochs: epochs of each training.
        seeds: number of trainings.
        accuracy: test accuracy in %, mean over the seeds, each at the epoch that is best on
            the validation split.
        sd: standard deviation over the seeds.
        gain: mean difference to `alone` with the same seed, in percentage points.
        p: p-value of a two-sided paired t-test of that difference, unadjusted.
        adjusted: p-value after Benjamini–Hochberg, over the losses of the same student.
        verdict: `better`, `worse`, or `no different`, at `adjusted` < 0.05.
    """

    data: str
    teacher: str
    teacher_accuracy: float
    student: str
    loss: str
    epochs: int
    seeds: int
    accuracy: float
    sd: float
    gain: float | None = None
    p: float | None = None
    adjusted: float | None = None
    verdict: str = ""


def loss_table(
    settings: LossTableSettings, out: Path, *, workers: int = 1, progress: Progress
) -> list[LossRow]:
    """Train every student with every loss and seed; resumable.

    Args:
        settings: students, losses, seeds and recipe.
        out: a new folder, or an interrupted one with the same settings, which is resumed.
        workers: number of processes.
        progress: called after every training.

    Raises:
        DiswotError: a name is unknown, or data, teacher and students do not fit.
        RunError: trainings failed; the results of the others are kept.
    """
    if settings.seeds < 2:
        raise OptionError(f"Expected at least 2 seeds, but got {settings.seeds}")
    if not settings.students:
        raise OptionError("Expected at least one student, but got none: name one")
    losses = tuple(dict.fromkeys((ALONE, *settings.losses)))
    for loss in losses:
        parse_objective(loss)
    data = load_data(settings.data, root=settings.data_root)
    for student in settings.students:
        student_of(student, data, seed=0)  # raises before any training if it cannot be built
    # A resumed folder may add students, losses and seeds, so its settings leave these out.
    record = settings.recorded()
    for name in ("students", "losses", "seeds"):
        del record[name]
    records = Trainings(record, out, key=["student", "loss", "seed"]).run(
        list(product(settings.students, losses, range(settings.seeds))),
        partial(_one, settings),
        before=partial(distillation_for, settings),
        workers=workers,
        progress=progress,
    )
    return [
        row for student in settings.students for row in _rows(settings, student, losses, records)
    ]


def _one(settings: LossTableSettings, task: tuple[str, str, int]) -> dict[str, Any]:
    name, loss, seed = task
    distillation = distillation_for(settings)
    student = student_of(name, distillation.data, seed=seed)
    recipe = replace(distillation.recipe, seed=seed)
    training = replace(distillation, recipe=recipe).train(student, loss=loss)
    teacher = distillation.teacher
    return {
        "student": name,
        "loss": loss,
        "seed": seed,
        "accuracy": round(100 * training.test.value, 4),
        "epochs": recipe.epochs,
        "teacher_accuracy": round(100 * teacher.test.value, 4) if teacher else None,
        "seconds": round(training.seconds, 1),
    }


def _rows(
    settings: LossTableSettings,
    student: str,
    losses: Sequence[str],
    records: Mapping[Any, Mapping[str, Any]],
) -> list[LossRow]:
    def accuracies(loss: str) -> Vector:
        return np.array([records[student, loss, s]["accuracy"] for s in range(settings.seeds)])

    # Differences to `alone` are paired by seed, which removes the variance between seeds.
    alone, rows = accuracies(ALONE), []
    for loss in losses:
        result, record = accuracies(loss), records[student, loss, 0]
        row = LossRow(
            settings.data,
            settings.teacher,
            record["teacher_accuracy"],
            student,
            loss,
            record["epochs"],
            settings.seeds,
            float(result.mean()),
            float(result.std(ddof=1)),
        )
        if loss != ALONE:
            row = replace(row, gain=float((result - alone).mean()), p=paired_p(result - alone))
        rows.append(row)
    return _tested(rows)


def _tested(rows: Sequence[LossRow]) -> list[LossRow]:
    """Adjust the p-values for multiple comparisons, and set the verdicts."""
    compared = [row for row in rows if row.p is not None]
    adjusted = iter(false_discovery_control([row.p for row in compared])) if compared else iter(())
    tested = []
    for row in rows:
        if row.gain is not None:
            p = float(next(adjusted))
            ahead = "better" if row.gain > 0 else "worse"
            row = replace(row, adjusted=p, verdict=ahead if p < SIGNIFICANT else "no different")
        tested.append(row)
    return tested
