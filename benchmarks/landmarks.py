"""Landmarks: what two teachers give a student, and whether scores rank students by their error.

`python -m benchmarks.landmarks --data-root FOLDER --work runs/landmarks` writes
`results/landmarks.csv`, `landmarks-students.csv` and `landmarks-ranking.csv`; with
`--data faces-68`, `results/landmarks-faces-68.csv` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from torch.nn import functional as F

from benchmarks.landmark_rows import LossRow, RankRow, StudentRow
from benchmarks.results_folder import keep
from diswot.bench.paired import paired_p
from diswot.bench.rank_statistics import Estimate, kendall, kendall_interval
from diswot.bench.trainings import Trainings, student_in
from diswot.cli import displayed_progress, options
from diswot.errors import OptionError
from diswot.progress import Progress, silent
from diswot.search import find_space, score
from diswot.seeding import generator_for
from diswot.tasks import SPLITS
from diswot.tasks.landmarks import LandmarkData, LandmarkSplit, load_landmarks
from diswot.training import Distillation, prepare_distillation

LOSSES: Mapping[str, str] = {
    "l2": "l2",
    "main": "main",
    "kd-loss": "kd-loss",
    "tough only": "2.5*main + assist(teacher=tough)",
    "tolerant only": "2.5*main + assist(teacher=tolerant)",
}
"""Name in the table → loss of the student."""

SCORES = ("student_fit", "params", "macs")
"""Scores by which students are ranked."""


@dataclass(frozen=True)
class LandmarkSettings:
    """What is compared.

    Attributes:
        data: a name of landmarks.
        data_root: where it lies, and trained teachers are kept.
        student: an architecture of `space`, which learns by every loss.
        space: a built-in name.
        teacher: a built-in name; trained once as tough and once as tolerant teacher.
        teacher_epochs: of its training.
        epochs: of every student's training.
        seeds: trainings of the student by every loss.
        students: drawn from the space, trained once each with the loss `loss`; 0 for none.
        loss: that these learn by.
        augment: how training images are varied; by default as the task does.
        pooled: images are shrunk by that factor.
        force: whether to distill from teachers near chance too.
    """

    data: str = "digit-outlines"
    data_root: str | None = None
    student: str = (
        "resolution=16,width=0.25,squeeze=False,activation=relu,stage1=d1k3e2,stage2=d1k3e2,"
        "stage3=d1k3e2,stage4=d1k3e2,stage5=d1k3e2"
    )
    space: str = "mobile-small"
    teacher: str = "mobile-medium"
    teacher_epochs: int = 60
    epochs: int = 20
    seeds: int = 5
    students: int = 24
    loss: str = "kd-loss"
    augment: str | None = None
    pooled: int | None = None
    force: bool = False

    def recorded(self) -> dict[str, Any]:
        """Return the settings that the results depend on."""
        left_out = ("data_root", "force")
        known = {name: value for name, value in asdict(self).items() if name not in left_out}
        return {name: value for name, value in known.items() if value is not None}


STUDIES: Mapping[str, LandmarkSettings] = {
    "digit-outlines": LandmarkSettings(),
    "faces-68": LandmarkSettings(
        data="faces-68",
        student=(
            "resolution=32,width=0.25,squeeze=False,activation=relu,stage1=d1k3e2,stage2=d1k3e2,"
            "stage3=d1k3e2,stage4=d1k3e2,stage5=d1k3e2"
        ),
        teacher_epochs=30,
        epochs=12,
        students=0,
        augment="none",
        pooled=2,
    ),
}
"""What is compared on which data; without augmentation, as teachers' outputs can be kept then."""


def landmark_tables(
    settings: LandmarkSettings, out: Path, *, workers: int = 1, progress: Progress = silent
) -> tuple[list[LossRow], list[StudentRow], list[RankRow]]:
    """Train teachers and students, and rank students; resumes where it stopped.

    Raises:
        DiswotError: something does not exist or does not fit.
        RunError: trainings failed; the others are kept.
    """
    if settings.seeds < 2 or settings.students in (1, 2):
        raise OptionError(
            "Expected at least 2 seeds and 3 students (or none), "
            f"but got {settings.seeds} and {settings.students}"
        )
    names = _drawn(settings)
    losses = [(name, settings.student, seed) for name in LOSSES for seed in range(settings.seeds)]
    records = Trainings(settings.recorded(), out, key=["loss", "student", "seed"]).run(
        losses + [(settings.loss, name, 0) for name in names if name != settings.student],
        partial(_one, settings),
        before=partial(_distillation, settings),
        workers=workers,
        progress=progress,
    )
    rows = _teachers(settings) + [_loss_row(settings, name, records) for name in LOSSES]
    if not names:
        return rows, [], []
    students = _student_rows(settings, [records[settings.loss, name, 0] for name in names])
    return rows, students, [_rank_row(settings, students, name) for name in SCORES]


@cache
def _data(settings: LandmarkSettings) -> LandmarkData:
    data = load_landmarks(settings.data, root=settings.data_root)
    if settings.pooled is None:
        return data
    train, val, test = (_pooled(getattr(data, name), settings.pooled) for name in SPLITS)
    name = f"{data.name}-{data.shape[1] // settings.pooled}"
    return replace(data, name=name, train=train, val=val, test=test)


def _pooled(split: LandmarkSplit, factor: int) -> LandmarkSplit:
    """Shrink images by a factor."""
    images = F.avg_pool2d(split.images.float(), factor).round().byte()
    return replace(split, images=images, points=split.points / factor)


@cache
def _distillation(settings: LandmarkSettings) -> Distillation:
    """Return teachers, data and recipe; cached per process."""
    return prepare_distillation(
        settings.teacher,
        data=_data(settings),
        data_root=settings.data_root,
        teacher_epochs=settings.teacher_epochs,
        epochs=settings.epochs,
        augment=settings.augment,
        device="cpu",
        force=settings.force,
    )


def _drawn(settings: LandmarkSettings) -> list[str]:
    """Return different architectures of the space, drawn at random."""
    space = find_space(settings.space, _data(settings).signature)
    rng, result = generator_for("landmarks", "students"), dict[str, None]()
    while len(result) < settings.students:
        result[space.to_string(space.sample(rng))] = None
    return list(result)


def _one(settings: LandmarkSettings, task: tuple[str, str, int]) -> dict[str, Any]:
    name, student, seed = task
    distillation = _distillation(settings)
    recipe = replace(distillation.recipe, seed=seed)
    network = student_in(settings.space, student, distillation.data, seed=seed)
    training = replace(distillation, recipe=recipe).train(network, loss=LOSSES[name])
    return {
        "loss": name,
        "student": student,
        "seed": seed,
        "params": sum(parameter.numel() for parameter in network.parameters()),
        "nme": round(training.test.value, 6),
    }


def _teachers(settings: LandmarkSettings) -> list[LossRow]:
    return [
        LossRow(
            settings.data,
            name,
            "l2",
            sum(parameter.numel() for parameter in teacher.network.parameters()),
            settings.teacher_epochs,
            1,
            teacher.test.value,
            teacher.test.low,
            teacher.test.high,
        )
        for name, teacher in _distillation(settings).teachers.items()
    ]


def _loss_row(
    settings: LandmarkSettings, name: str, records: Mapping[Any, Mapping[str, Any]]
) -> LossRow:
    def errors(loss: str) -> Any:
        result = [records[loss, settings.student, seed] for seed in range(settings.seeds)]
        return np.array([record["nme"] for record in result])

    result, gains = errors(name), errors(name) - errors("l2")
    return LossRow(
        settings.data,
        "student",
        name,
        records[name, settings.student, 0]["params"],
        settings.epochs,
        settings.seeds,
        float(result.mean()),
        sd=float(result.std(ddof=1)),
        gain=None if name == "l2" else float(gains.mean()),
        p=None if name == "l2" else paired_p(gains),
    )


def _student_rows(
    settings: LandmarkSettings, records: Sequence[Mapping[str, Any]]
) -> list[StudentRow]:
    candidates = score(
        [record["student"] for record in records],
        settings.teacher,
        space=settings.space,
        data=_data(settings),
        scorer="student_fit_1",
        repeats=3,
        batch_size=64,
    )
    return [
        StudentRow(
            settings.data,
            record["student"],
            settings.loss,
            record["nme"],
            candidate.params,
            candidate.macs,
            candidate.score,
        )
        for record, candidate in zip(records, candidates, strict=True)
    ]


def _rank_row(settings: LandmarkSettings, students: Sequence[StudentRow], name: str) -> RankRow:
    values = np.array([getattr(student, name) for student in students], dtype=float)
    better = -np.array([student.nme for student in students])
    low, high = kendall_interval(values, better)
    tau = Estimate(kendall(values, better), low, high)
    return RankRow(settings.data, name, len(students), tau)


@click.command()
@click.option("--data", type=click.Choice([*STUDIES]), default="digit-outlines", show_default=True)
@options.DATA_ROOT
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/landmarks"))
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def main(data: str, data_root: str | None, work: Path, workers: int) -> None:
    """Make the tables; interrupted, what was measured is kept in --work."""
    settings, started = replace(STUDIES[data], data_root=data_root), datetime.now(UTC)
    with displayed_progress() as progress:
        losses, students, ranks = landmark_tables(
            settings, work / settings.data, workers=workers, progress=progress
        )
    provenance = {"settings": settings.recorded(), "workers": workers}
    tables: dict[str, Sequence[Any]] = {
        "landmarks": losses,
        "landmarks-students": students,
        "landmarks-ranking": ranks,
    }
    own = "" if data == "digit-outlines" else f"-{data}"
    for table, rows in tables.items():
        if rows:
            keep(f"{table}{own}", rows, provenance, started, work=work / settings.data)


if __name__ == "__main__":
    main()
