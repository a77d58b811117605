"""A ground truth of one's own: students trained alone and distilled, over several seeds."""

import csv
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ledger import Ledger, processes
from diswot.data import held_out, load_data
from diswot.distillation import Distillation, default_recipe, prepare_distillation
from diswot.errors import DiswotError, OptionError, RunError, first_line
from diswot.progress import Progress, Step
from diswot.run_folder import replace_file
from diswot.search import find_space
from diswot.seeding import generator_for, seed_for, torch_seed
from search_spaces import SearchSpace

TARGETS = {"vanilla": "alone", "distilled": "diswot"}
"""Columns of a truth, and the losses that make them."""


@dataclass(frozen=True)
class TruthSettings:
    """What a ground truth is made of.

    Attributes:
        space: a built-in name or `package.module:Class`.
        data: a dataset's name.
        data_root: where datasets lie, and trained teachers are kept.
        teacher: a built-in name; trained once on all training images.
        teacher_epochs: of a built-in teacher that has to be trained; see `prepare_distillation`.
        train_images: images that students are trained on, drawn once; `None` for all.
        epochs: of each student's training.
        batch_size: of each student's training; `None` for the recipe's own.
        seeds: trainings of each student, each with other weights and another order.
        sample: architectures, drawn at random; `None` for all.
    """

    space: str = "s0"
    data: str = "digits"
    data_root: str | None = None
    teacher: str = "resnet56"
    teacher_epochs: int | None = None
    train_images: int | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seeds: int = 3
    sample: int | None = None


@dataclass(frozen=True)
class TruthRow:
    """Test accuracies in % of one architecture: means and standard deviations over seeds."""

    arch: str
    vanilla: float
    distilled: float
    vanilla_sd: float
    distilled_sd: float
    seeds: int


def make_truth(
    settings: TruthSettings, out: Path, *, workers: int = 1, progress: Progress
) -> list[TruthRow]:
    """Train every architecture, and write `truth.csv`; taken up again where it stopped.

    Args:
        settings: what is trained.
        out: a new folder, or one that was begun with the same settings.
        workers: processes.
        progress: told of every training.

    Raises:
        DiswotError: something does not exist or does not fit.
        RunError: trainings failed; the others are kept.
    """
    if settings.seeds < 1:
        raise OptionError(f"Expected at least 1 seed, but got {settings.seeds}")
    names = _architectures(settings)
    record = {k: v for k, v in asdict(settings).items() if k != "data_root"}
    with Ledger(out, record, key=["arch", "seed", "target"]) as ledger:
        wanted = [(n, s, t) for s in range(settings.seeds) for n in names for t in TARGETS]
        left = [task for task in wanted if task not in ledger.records]
        if left:
            _prepared(settings)  # the teacher is trained before the workers ask for it
        for done, trained in enumerate(_train(settings, left, workers), len(wanted) - len(left)):
            ledger.append(trained)
            note = f"{trained['arch']} {trained['target']} {trained['accuracy']:.1f} %"
            progress(Step("train", done + 1, len(wanted), note))
        rows = [_row(name, settings.seeds, ledger) for name in names]
    _write(rows, out / "truth.csv")
    return rows


def _train(
    settings: TruthSettings, tasks: list[tuple[str, int, str]], workers: int
) -> Iterator[dict[str, Any]]:
    failures = []
    with processes(workers) as pool:
        waiting = {pool.submit(_one, settings, *task): task for task in tasks}
        for ready in as_completed(waiting):
            try:
                yield ready.result()
            except (DiswotError, RunError) as error:
                failures.append(f"{waiting[ready]}: {first_line(error)}")
    if failures:
        raise RunError(f"{len(failures)} trainings failed, the first of {failures[0]}")


def _one(settings: TruthSettings, arch: str, seed: int, target: str) -> dict[str, Any]:
    distillation = _prepared(settings)
    space = _space(settings)
    with torch_seed(seed_for(seed, "student", arch)):
        student = space.build(space.from_string(arch), distillation.data.num_classes)
    recipe = replace(distillation.recipe, seed=seed)
    training = replace(distillation, recipe=recipe).train(student, loss=TARGETS[target])
    accuracy = round(100 * training.test.rate, 4)
    return {"arch": arch, "seed": seed, "target": target, "accuracy": accuracy}


@cache
def _prepared(settings: TruthSettings) -> Distillation:
    """Return teacher and data, once in each process."""
    whole = prepare_distillation(settings.teacher, data=settings.data, data_root=settings.data_root)
    data = whole.data
    if settings.train_images is not None and settings.train_images < len(data.train):
        data = replace(data, train=held_out(data.train, settings.train_images, seed=0)[1])
    recipe = default_recipe(data, epochs=settings.epochs)
    if settings.batch_size is not None:
        recipe = replace(recipe, batch_size=settings.batch_size)
    return replace(whole, data=data, recipe=recipe)


def _space(settings: TruthSettings) -> SearchSpace:
    data = load_data(settings.data, root=settings.data_root)
    return find_space(settings.space, in_channels=data.shape[0])


def _architectures(settings: TruthSettings) -> list[str]:
    space = _space(settings)
    if settings.sample is None:
        if space.size is None:
            raise OptionError(f"the space {settings.space} cannot be counted: give --sample")
        return [space.to_string(arch) for arch in space]
    if space.size is not None and settings.sample > space.size:
        raise OptionError(
            f"Expected a sample of at most the {space.size:,} architectures of "
            f"{settings.space}, but got {settings.sample:,}"
        )
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


def _row(name: str, seeds: int, ledger: Ledger) -> TruthRow:
    by_target = {
        target: np.array([ledger.records[name, s, target]["accuracy"] for s in range(seeds)])
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
