"""The tables of losses and of shortlists: students that have a dataset's teacher in common."""

from dataclasses import fields, replace
from pathlib import Path

from benchmarks.evidence import LOSSES, SHORTLISTED, STUDIED
from benchmarks.shortlist_table import ShortlistRow, ShortlistSettings, shortlist_table
from diswot.bench.loss_table import LossRow, LossTableSettings, loss_table
from diswot.bench.trainings import TrainingSettings
from diswot.progress import Progress
from diswot.search import Budget, search
from diswot.training import saved_students, train_teacher


def loss_rows(data_root: str | None, work: Path, workers: int, progress: Progress) -> list[LossRow]:
    """Train the student that a search finds, and ResNet-20, by every loss."""
    rows: list[LossRow] = []
    for data in STUDIED:
        settings = _with_teacher(data, data_root, work, progress)
        budget = Budget(params=300_000)
        result = search(
            settings.teacher,
            "s0",
            data=data,
            data_root=data_root,
            budget=budget,
            scorer="diswot",
        )
        students = (f"s0:{result.best.name}", "resnet20")
        asked = replace(settings, students=students, losses=LOSSES)
        out = work / f"losses-{data}"
        rows += loss_table(asked, out, workers=workers, progress=progress)
    return rows


def shortlist_rows(
    data_root: str | None, work: Path, workers: int, progress: Progress
) -> list[ShortlistRow]:
    """Spend the same epochs on the top-scoring student, and on a shortlist."""
    rows: list[ShortlistRow] = []
    for data, (count, epochs) in SHORTLISTED.items():
        settings = _with_teacher(data, data_root, work, progress)
        common = {field.name: getattr(settings, field.name) for field in fields(TrainingSettings)}
        asked = ShortlistSettings(**{**common, "epochs": epochs}, count=count)
        out = work / f"shortlist-{data}"
        rows += shortlist_table(asked, out, workers=workers, progress=progress)
    return rows


def _with_teacher(
    data: str, data_root: str | None, work: Path, progress: Progress
) -> LossTableSettings:
    """Return the settings of a dataset with a teacher that is trained once for both tables."""
    settings = STUDIED[data]
    folder = work / f"teacher-{data}"
    if not saved_students(folder):
        train_teacher(
            settings.teacher,
            out=folder,
            data=data,
            data_root=data_root,
            epochs=settings.teacher_epochs,
            precision=settings.precision,
            progress=progress,
        )
    return replace(
        settings,
        data_root=data_root,
        teacher_weights=str(saved_students(folder)[0].weights),
        teacher_epochs=None,
    )
