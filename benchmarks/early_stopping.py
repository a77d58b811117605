"""What early stopping of short trainings saves: `python -m benchmarks.early_stopping FOLDER`.

The search reads learning curves of the trainings of `digits-thin` as it would see them: with early
stopping, up to the epoch at which it stops a training. All arms have the same candidates, scores
and training seeds. FOLDER has the trainings so far; those of `benchmarks.thin_truth` can be copied
to its folders 4 (short ones) and 20 (full ones). Run again, it resumes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from benchmarks.budget_tables import LIMITS, BudgetTable, thin
from benchmarks.results_folder import keep
from benchmarks.thin_truth import DISTILLED, SETTINGS, Trainings, train_all
from benchmarks.training_budgets import NOISE, SEEDS, mean_of
from diswot.bench.rank_statistics import Vector
from diswot.cli import displayed_progress, options
from diswot.search import BriefTraining, Plan
from diswot.search.few_shot import AT_ONCE, Ranker, expected_values, least_values
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root

EPOCHS = (4, 20)
"""Epochs of a short training: the default of the search, and those of a full training."""

TRAININGS = 20
"""Short trainings of a search."""

WHOLE = "all epochs"
STOPPED = "early stopping"
REFILLED = "early stopping, saved epochs to further trainings"
ARMS = (WHOLE, STOPPED, REFILLED)

FULL = (1, 3)
"""Networks that are trained in full at the end."""


@dataclass(frozen=True)
class StoppingRow:
    """Searches with and without early stopping, in the mean over seeds.

    Attributes:
        max_params: maximum number of parameters; empty for no limit.
        networks: number of candidates in each seed.
        epochs: epochs of a short training.
        arm: with or without early stopping.
        trainings: number of short trainings.
        stopped: of them that were stopped early.
        spent: epochs that they took.
        missed: searches in which the stopped trainings include the one that would have been the
            best of all in its last epoch.
        regret_1: points that the first-ranked network is behind the best candidate.
        regret_3: the same of the best of the first three.
        loss_1: how much higher `regret_1` is than without early stopping, in the same seeds.
        low_1: end of its 95 % bootstrap interval over seeds.
        high_1: the other end.
        loss_3: how much higher `regret_3` is.
        low_3: end of its interval.
        high_3: the other end.
    """

    max_params: int | None
    networks: int
    epochs: int
    arm: str
    trainings: float
    stopped: float
    spent: float
    missed: int
    regret_1: float
    regret_3: float
    loss_1: float
    low_1: float
    high_1: float
    loss_3: float
    low_3: float
    high_3: float


@dataclass(frozen=True)
class Searched:
    """One search: its short trainings, and its regrets by the number of full trainings."""

    trainings: Sequence[BriefTraining]
    missed: bool
    regrets: tuple[float, ...]


def search(table: BudgetTable, curves: Vector, ranker: Ranker, arm: str) -> Searched:
    """Return what a search finds that trains briefly as `diswot search --trainings 20` does.

    Args:
        table: the candidates, with their full results.
        curves: best accuracy so far after each epoch of a short training, (N, epochs).
        ranker: ranks the candidates.
        arm: with or without early stopping.
    """
    epochs = curves.shape[1]
    plan = Plan(TRAININGS, epochs, refilled=arm == REFILLED)
    never = (-np.inf,) * epochs
    done: dict[int, BriefTraining] = {}
    while count := min(AT_ONCE, plan.left(done.values()), len(ranker) - len(done)):
        least = never if arm == WHOLE else least_values(done.values(), epochs)
        for place in ranker.proposals(expected_values(done), count):
            done[place] = training(str(place), curves[place].tolist(), least)
    order = ranker.ranking(expected_values(done))
    best = max(done, key=lambda place: float(curves[place, -1]))
    regrets = (float(table.full.max() - table.full[order[:count]].max()) for count in FULL)
    return Searched([*done.values()], done[best].stopped, tuple(regrets))


def training(name: str, curve: Sequence[float], least: Sequence[float]) -> BriefTraining:
    """Return a short training, which stops at the first epoch below `least`."""
    below = (n for n, value in enumerate(curve, start=1) if value < least[n - 1])
    seen = tuple(curve[: next(below, len(curve))])
    return BriefTraining(name, name, len(curve), seen[-1], curve=seen)


def rows_of(table: BudgetTable, limit: int | None, by_seed: Sequence[Vector]) -> list[StoppingRow]:
    """Return the rows of one length of short trainings.

    Args:
        table: the candidates.
        limit: maximum number of parameters of them, copied to the rows.
        by_seed: best accuracies so far (N, epochs), for each seed of trainings.
    """
    found: dict[str, list[Searched]] = {arm: [] for arm in ARMS}
    for seed in range(SEEDS):
        every = replace(table, short=np.arange(len(table.full), dtype=float))  # who is seen
        seen = every.seen(seed)
        curves = by_seed[seed % len(by_seed)][seen.short.astype(int)]
        noise = generator_for("noise of scores", table.name, seed).standard_normal(len(seen.scores))
        ranker = Ranker(seen.features, seen.scores + NOISE * seen.scores.std() * noise)
        for arm in ARMS:
            found[arm].append(search(seen, curves, ranker, arm))
    base = [item.regrets for item in found[WHOLE]]
    return [
        StoppingRow(
            *(limit, len(seen.full), by_seed[0].shape[1], arm),
            trainings=float(np.mean([len(item.trainings) for item in of])),
            stopped=float(np.mean([sum(t.stopped for t in item.trainings) for item in of])),
            spent=float(np.mean([sum(t.spent for t in item.trainings) for item in of])),
            missed=sum(item.missed for item in of),
            **_regrets([item.regrets for item in of], base),
        )
        for arm, of in found.items()
    ]


def _regrets(of: Sequence[tuple[float, ...]], base: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    """Return mean regrets, and by how much they are above those without early stopping."""
    numbers: dict[str, Any] = {}
    for full, regrets, others in zip(FULL, np.transpose(of), np.transpose(base), strict=True):
        rng = generator_for("bootstrap of early stopping", full)
        mean, low, high = mean_of(regrets - others, rng)
        numbers |= {f"regret_{full}": round(float(regrets.mean()), 3), f"loss_{full}": mean}
        numbers |= {f"low_{full}": low, f"high_{full}": high}
    return numbers


@click.command()
@options.DATA_ROOT
@click.argument("folder", type=click.Path(path_type=Path))
def main(data_root: str | None, folder: Path) -> None:
    """Write benchmarks/results/early-stopping.csv; FOLDER has the trainings so far."""
    torch.set_num_threads(1)
    started, table, rows = datetime.now(UTC), thin("digits-thin", find_root(data_root)), []
    names = [table.space.to_string(arch) for arch in table.architectures]
    folder.mkdir(parents=True, exist_ok=True)
    for epochs in EPOCHS:
        settings = replace(SETTINGS, epochs=epochs, data_root=data_root)
        with displayed_progress() as progress:
            out = folder / str(epochs)
            found = train_all(Trainings(settings), names, (DISTILLED,), out=out, progress=progress)
        by_seed = [
            np.maximum.accumulate([found[n, seed, DISTILLED]["curve"] for n in names], axis=1)
            for seed in range(settings.seeds)
        ]
        rows += rows_of(table, None, by_seed)
        limit = int(LIMITS["digits-thin"])
        within = table.params <= limit
        rows += rows_of(table.within(limit), limit, [curves[within] for curves in by_seed])
    provenance = {"seeds": SEEDS, "trainings": TRAININGS, "noise": NOISE}
    keep("early-stopping", rows, provenance, started, work=folder)


if __name__ == "__main__":
    main()
