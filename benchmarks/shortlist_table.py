"""Successive halving of a shortlist, compared with training the top-scoring student as long."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.paired import paired_p
from diswot.bench.trainings import Trainings, TrainingSettings, distillation_for, student_in
from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.search import Budget, search, shortlist
from diswot.training import halve, total_epochs

METHODS = ("first", "shortlist")


@dataclass(frozen=True)
class ShortlistSettings(TrainingSettings):
    """What is compared.

    Attributes:
        space: a built-in name.
        scorer: by which students are searched, each seed with a search of its own.
        max_params: parameters that a student may have.
        count: students on the shortlist.
        loss: by which they learn.
        seeds: searches and trainings.
    """

    space: str = "s0"
    scorer: str = "diswot"
    max_params: int | None = 300_000
    count: int = 4
    loss: str = "diswot"
    seeds: int = 3


@dataclass(frozen=True)
class ShortlistRow:
    """Results of one method of spending the epochs.

    Attributes:
        data: the dataset.
        method: `first`: the top-scoring student, trained with all epochs; `shortlist`: the
            best of `count` by successive halving.
        count: number of students on the shortlist.
        epochs: total epochs of all trainings of a seed.
        last_epochs: epochs of the final training.
        students: chosen student of each seed.
        seeds: number of searches and trainings.
        accuracy: test accuracy in %, mean over the seeds.
        sd: standard deviation over the seeds.
        gain: mean difference to `first` of the same seed, in points.
        p: of a paired t-test of that difference, two-sided.
    """

    data: str
    method: str
    count: int
    epochs: int
    last_epochs: int
    students: str
    seeds: int
    accuracy: float
    sd: float
    gain: float | None = None
    p: float | None = None


def shortlist_table(
    settings: ShortlistSettings, out: Path, *, workers: int = 1, progress: Progress
) -> list[ShortlistRow]:
    """Compare both methods with every seed; resumable.

    Raises:
        DiswotError: something does not exist or does not fit.
        RunError: trainings failed; the others are kept.
    """
    if settings.seeds < 2 or settings.count < 2:
        raise OptionError(
            "Expected at least 2 seeds and 2 students, "
            f"but got {settings.seeds} and {settings.count}"
        )
    records = Trainings(settings.recorded(), out, key=["method", "seed"]).run(
        list(product(METHODS, range(settings.seeds))),
        partial(_one, settings),
        before=partial(distillation_for, settings),
        workers=workers,
        progress=progress,
    )
    return [_row(settings, method, records) for method in METHODS]


def _one(settings: ShortlistSettings, task: tuple[str, int]) -> dict[str, Any]:
    method, seed = task
    distillation = distillation_for(settings)
    recipe = replace(distillation.recipe, seed=seed)
    epochs = total_epochs(settings.count, recipe.epochs)
    names = _listed(settings, seed)
    if method == "first":
        names, recipe = names[:1], replace(recipe, epochs=epochs)
    halving = halve(
        {
            name: partial(student_in, settings.space, name, distillation.data, seed=seed)
            for name in names
        },
        replace(distillation, recipe=recipe),
        loss=settings.loss,
    )
    return {
        "method": method,
        "seed": seed,
        "student": halving.best,
        "epochs": halving.epochs,
        "last_epochs": halving.rungs[-1].epochs,
        "accuracy": round(100 * halving.training.test.value, 4),
    }


@cache
def _listed(settings: ShortlistSettings, seed: int) -> tuple[str, ...]:
    """Return the shortlist of a search, the top-scoring student first."""
    result = search(
        settings.teacher,
        settings.space,
        data=settings.data,
        data_root=settings.data_root,
        budget=Budget(params=settings.max_params),
        scorer=settings.scorer,
        seed=seed,
    )
    return tuple(candidate.name for candidate in shortlist(result.candidates, settings.count))


def _row(
    settings: ShortlistSettings, method: str, records: Mapping[Any, Mapping[str, Any]]
) -> ShortlistRow:
    results = [records[method, seed] for seed in range(settings.seeds)]
    accuracies = np.array([record["accuracy"] for record in results])
    row = ShortlistRow(
        settings.data,
        method,
        1 if method == "first" else settings.count,
        results[0]["epochs"],
        results[0]["last_epochs"],
        " ".join(record["student"] for record in results),
        settings.seeds,
        float(accuracies.mean()),
        float(accuracies.std(ddof=1)),
    )
    if method == "first":
        return row
    first = np.array([records["first", seed]["accuracy"] for seed in range(settings.seeds)])
    gains = accuracies - first
    return replace(row, gain=float(gains.mean()), p=paired_p(gains))
