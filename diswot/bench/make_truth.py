"""Make a ground truth: train students alone and distilled, over several seeds."""

import csv
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from diswot.bench.trainings import Trainings, TrainingSettings, distillation_for, student_in
from diswot.errors import OptionError
from diswot.progress import Progress
from diswot.runs.folder import replace_file
from diswot.search import find_space
from diswot.seeding import generator_for
from diswot.tasks.images import load_data
from search_spaces import SearchSpace

TARGETS = {"vanilla": "alone", "distilled": "diswot"}
"""Column of a truth → loss of its trainings."""


@dataclass(frozen=True)
class TruthSettings(TrainingSettings):
    """Settings of `make_truth`.

    Attributes:
        space: name of a built-in search space, or `package.module:Class`.
        seeds: number of trainings per student and column, with different initializations and
            batch orders.
        sample: number of architectures, drawn at random; `None` for all.
    """

    space: str = "s0"
    seeds: int = 3
    sample: int | None = None


@dataclass(frozen=True)
class TruthRow:
    """Test accuracies of one architecture in %: means and standard deviations over seeds."""

    arch: str
    vanilla: float
    distilled: float
    vanilla_sd: float
    distilled_sd: float
    seeds: int


def make_truth(
    settings: TruthSettings, out: Path, *, workers: int = 1, progress: Progress
) -> list[TruthRow]:
    """Train every architecture alone and distilled, and write `truth.csv`; resumable.

    Args:
        settings: space, seeds and recipe.
        out: a new folder, or an interrupted one with the same settings, which is resumed.
        workers: number of processes.
        progress: called after every training.

    Raises:
        DiswotError: a name is unknown, or data, teacher and space do not fit.
        RunError: trainings failed; the results of the others are kept.
    """
    if settings.seeds < 1:
        raise OptionError(f"Expected at least 1 seed, but got {settings.seeds}")
    names = _architectures(settings)
    tasks = [(n, s, t) for s in range(settings.seeds) for n in names for t in TARGETS]
    records = Trainings(settings.recorded(), out, key=["arch", "seed", "target"]).run(
        tasks,
        partial(_one, settings),
        before=partial(
            distillation_for, settings
        ),  # trains the teacher once, before the workers start
        workers=workers,
        progress=progress,
    )
    rows = [_row(name, settings.seeds, records) for name in names]
    _write(rows, out / "truth.csv")
    return rows


def _one(settings: TruthSettings, task: tuple[str, int, str]) -> dict[str, Any]:
    arch, seed, target = task
    distillation = distillation_for(settings)
    student = student_in(settings.space, arch, distillation.data, seed=seed)
    recipe = replace(distillation.recipe, seed=seed)
    training = replace(distillation, recipe=recipe).train(student, loss=TARGETS[target])
    accuracy = round(100 * training.test.value, 4)
    return {"arch": arch, "seed": seed, "target": target, "accuracy": accuracy}


def _space(settings: TruthSettings) -> SearchSpace:
    data = load_data(settings.data, root=settings.data_root, image_size=settings.image_size)
    return find_space(settings.space, data.signature)


def _architectures(settings: TruthSettings) -> list[str]:
    space = _space(settings)
    if settings.sample is None:
        if space.size is None:
            raise OptionError(f"the space {settings.space} cannot be enumerated: give --sample")
        return [space.to_string(arch) for arch in space]
    if space.size is not None and settings.sample > space.size:
        raise OptionError(
            f"Expected a sample of at most the {space.size:,} architectures of "
            f"{settings.space}, but got {settings.sample:,}"
        )
    # Draw until enough distinct networks are found; isomorphic architectures count once.
    rng = generator_for(0, "truth", settings.space)
    drawn: dict[str, str] = {}
    for _ in range(100 * settings.sample):
        arch = space.sample(rng)
        drawn.setdefault(space.canonical_key(arch), space.to_string(arch))
        if len(drawn) == settings.sample:
            return list(drawn.values())
    raise OptionError(
        f"Expected a sample of at most the different networks of {settings.space}, but only "
        f"{len(drawn):,} were found: give a smaller --sample"
    )


def _row(name: str, seeds: int, records: Mapping[Any, Mapping[str, Any]]) -> TruthRow:
    by_target = {
        target: np.array([records[name, s, target]["accuracy"] for s in range(seeds)])
        for target in TARGETS
    }
    means = {target: round(float(values.mean()), 3) for target, values in by_target.items()}
    sds = {
        f"{target}_sd": round(float(values.std(ddof=1)), 3) if seeds > 1 else 0.0
        for target, values in by_target.items()
    }
    return TruthRow(arch=name, seeds=seeds, **means, **sds)


def _write(rows: list[TruthRow], path: Path) -> None:
    def write(partial: Path) -> None:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(asdict(rows[0])), lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)

    replace_file(path, write)
