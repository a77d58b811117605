"""Students that are distilled without training images, against training with them.

`python -m benchmarks.data_free --work runs/data-free` writes `results/data-free.csv`. If it is
interrupted, the same command resumes with the trainings that are left.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from benchmarks.results_folder import keep
from diswot.bench.paired import paired_interval, paired_p
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.methods import find_method
from diswot.methods.data_free import LOSS
from diswot.options import filled
from diswot.search import find_space
from diswot.students import build_student
from diswot.training import Distillation, TrainedTeacher, prepare_distillation

IMAGES = "images"
"""Distillation on the training images, with the loss of noise and distorted images."""

ARMS = ("untrained", "noise", "zskt", "dafl", "distorted", IMAGES)
BATCH = 64
"""Training batch size."""


@dataclass(frozen=True)
class DataFreeSettings:
    """What is compared: one student, the same number of steps in every arm.

    Attributes:
        data: the dataset.
        teacher: the teacher, trained once on the training images.
        space: space of the student.
        student: its architecture.
        seeds: number of seeds of students.
        epochs: epochs of a training.
        steps: steps per epoch.
    """

    data: str = "digits"
    teacher: str = "resnet20"
    space: str = "thin"
    student: str = "stem=5,expansion=2,width1=8,depth1=2,kernel1=3,width2=16,depth2=2,kernel2=3"
    seeds: int = 3
    epochs: int = 10
    steps: int = 100


@dataclass(frozen=True)
class DataFreeRow:
    """Test accuracy of one arm.

    Attributes:
        samples: what the student was trained on.
        loss: its loss.
        seeds: number of seeds.
        accuracy: mean test accuracy.
        sd: standard deviation over seeds.
        behind: mean difference from training on the images, paired by seed.
        low: lower end of the 95 % interval of this difference (Student's t).
        high: upper end of this interval.
        p: two-sided p-value of this difference (paired t-test).
    """

    samples: str
    loss: str
    seeds: int
    accuracy: float
    sd: float | None = None
    behind: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None


@cache
def _distillation(settings: DataFreeSettings) -> Distillation:
    return prepare_distillation(settings.teacher, data=settings.data, epochs=20, device="cpu")


def distillation_on(
    whole: Distillation, samples: str | None, *, epochs: int, steps: int, seed: int
) -> tuple[Distillation, str]:
    """Return a distillation with an equal number of steps on any samples, and its loss.

    Args:
        whole: teacher, data and recipe.
        samples: the samples; `None` for the training split, with the loss of noise.
        epochs: number of epochs.
        steps: steps per epoch.
        seed: seed of the training.
    """
    recipe = replace(whole.recipe, epochs=epochs, batch_size=BATCH, seed=seed)
    if samples in (None, "distorted"):  # epochs of the training split with as many steps
        per_epoch = recipe.steps_per_epoch(whole.data.size("train"))
        recipe = replace(recipe, epochs=epochs * steps // per_epoch)
    if samples is None:
        return replace(whole, recipe=recipe), LOSS
    method = find_method("data-free")
    chosen = {"samples": samples, "samples_per_epoch": BATCH * steps}
    options = filled(method.options, chosen)
    (loss,) = method.losses(whole.data.task, options)
    return replace(whole, recipe=recipe, make=method.training(options)), loss


def _one(settings: DataFreeSettings, task: tuple[str, int]) -> dict[str, Any]:
    arm, seed = task
    distillation = _distillation(settings)
    data = distillation.data
    space = find_space(settings.space, data.signature)
    student = build_student(space, space.from_string(settings.student), data.signature, seed=seed)
    if arm == "untrained":
        test = data.metrics[0].measure(student, data, "test")
        return {"samples": arm, "seed": seed, "loss": "", "accuracy": test.value}
    distillation, loss = distillation_on(
        distillation,
        None if arm == IMAGES else arm,
        epochs=settings.epochs,
        steps=settings.steps,
        seed=seed,
    )
    test = distillation.train(student, loss=loss).test
    return {"samples": arm, "seed": seed, "loss": loss, "accuracy": test.value}


def _rows(
    settings: DataFreeSettings, records: Mapping[Any, Mapping[str, Any]]
) -> list[DataFreeRow]:
    accuracies = {
        arm: np.array([records[arm, seed]["accuracy"] for seed in range(settings.seeds)])
        for arm in ARMS
    }
    rows = []
    for arm in ARMS:
        behind = accuracies[arm] - accuracies[IMAGES]
        row = DataFreeRow(
            arm,
            records[arm, 0]["loss"],
            settings.seeds,
            float(accuracies[arm].mean()),
            float(accuracies[arm].std(ddof=1)),
        )
        if arm != IMAGES:
            low, high = paired_interval(behind)
            mean, p = float(behind.mean()), paired_p(behind)
            row = replace(row, behind=mean, low=low, high=high, p=p)
        rows.append(row)
    teacher = cast(TrainedTeacher, _distillation(settings).teacher)  # one is always given
    return [*rows, DataFreeRow("teacher", "", 1, teacher.test.value)]


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Trainings so far.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def main(work: Path, workers: int) -> None:
    """Train all arms, and write the table."""
    settings, started = DataFreeSettings(), datetime.now(UTC)
    tasks = [(arm, seed) for seed in range(settings.seeds) for arm in ARMS]
    with displayed_progress() as progress:
        records = Trainings(asdict(settings), work, key=["samples", "seed"]).run(
            tasks,
            partial(_one, settings),
            before=partial(_distillation, settings),
            workers=workers,
            progress=progress,
        )
    keep("data-free", _rows(settings, records), asdict(settings), started, work=work)


if __name__ == "__main__":
    main()
