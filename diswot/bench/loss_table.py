"""What each loss makes of each student: trainings over seeds, and what differs."""

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
    """What is trained.

    Attributes:
        students: networks, see [`student_of`][diswot.bench.trainings.student_of].
        losses: names or expressions of `diswot list losses`; `alone` is always among them.
        seeds: trainings of each student by each loss. The same seed gives the same
            initialization and the same batches by every loss.
    """

    students: tuple[str, ...] = ()
    losses: tuple[str, ...] = (ALONE, "diswot", "diswot-dagger")
    seeds: int = 3


@dataclass(frozen=True)
class LossRow:
    """One student distilled by one loss.

    Attributes:
        data: the dataset.
        teacher: whom it learned from.
        teacher_accuracy: in %, on the test split.
        student: its name.
        loss: a name or an expression.
        epochs: of each training.
        seeds: trainings.
        accuracy: mean over the seeds, in %, on the test split, of the epoch that was best
            on the validation split.
        sd: standard deviation over the seeds.
        gain: mean difference to `alone` of the same seed, in points.
        p: of a paired t-test of that difference, two-sided, as it is.
        adjusted: p after Benjamini and Hochberg, over the losses of the same student and data.
        verdict: `better`, `worse`, or `no different` at 0.05 of `adjusted`.
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
    """Train every student by every loss with every seed; resumed where it stopped.

    Args:
        settings: what is trained.
        out: a new folder, or one that was started with the same settings.
        workers: processes.
        progress: called with every training.

    Raises:
        DiswotError: something does not exist or does not fit.
        RunError: trainings failed; the others are kept.
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
        student_of(student, data, seed=0)  # what cannot be built is refused before any training
    # tasks that may be added later are no part of what was started
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

    alone, rows = accuracies(ALONE), []
    for loss in losses:
        found, record = accuracies(loss), records[student, loss, 0]
        row = LossRow(
            settings.data,
            settings.teacher,
            record["teacher_accuracy"],
            student,
            loss,
            record["epochs"],
            settings.seeds,
            float(found.mean()),
            float(found.std(ddof=1)),
        )
        if loss != ALONE:
            row = replace(row, gain=float((found - alone).mean()), p=paired_p(found - alone))
        rows.append(row)
    return _tested(rows)


def _tested(rows: Sequence[LossRow]) -> list[LossRow]:
    """Adjust the p of several losses for being several, and say what is significant."""
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
