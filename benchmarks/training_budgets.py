"""What a budget of trainings buys, from tables: `python -m benchmarks.training_budgets FOLDER`.

Every method spends the same number of full trainings, in short or full ones, and names a network;
its regret is how far that is behind the best of the table. Methods read a table's short result for
what they train briefly and its full result for what they train in full, and nothing else. TPE needs
optuna (`pip install optuna`); without it there are no rows of it. Stopped, it resumes from the
folder.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import click
import numpy as np
import torch

from benchmarks.budget_methods import ANYTIME, Briefs, Spending, available
from benchmarks.budget_tables import LIMITS, TABLES, BudgetTable
from benchmarks.results_folder import keep
from diswot.bench.rank_statistics import Vector, kendall
from diswot.bench.record_store import RecordStore
from diswot.cli import displayed_progress, options
from diswot.progress import Progress, Step
from diswot.search.few_shot import Ranker
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root

COSTS = (0.0, 0.5, 1.0, 2.0, 5.0, 6.0, 10.0)
SEEDS = 20
NOISE = 0.05
"""Standard deviation that a seed adds to scores, over theirs: of the mean of two initializations,
as on the cells of NAS-Bench-201."""

BRIEF = 20
"""Short trainings after which the order of the posterior is compared with the full results."""

OURS = "diswot"
KEY = ("table", "max_params", "seed", "method")
TAUS = {"tau_before": 0.0, "tau_after": 2.0}
"""The costs in whose rows Kendall's τ before and after short trainings is written."""

RESAMPLED = 2_000
"""Bootstrap samples of an interval."""


@dataclass(frozen=True)
class BudgetRow:
    """Regret of one method, over the seeds.

    Attributes:
        table: name of the table.
        max_params: maximum number of parameters; empty for no limit.
        networks: number of networks.
        method: name of the method.
        cost: budget in full trainings.
        median: regret in points over the seeds.
        low: its first quartile.
        high: its third quartile.
        mean: of the regrets.
        other: of `diswot`: the other method of the lowest mean at this cost.
        behind: of `diswot`: mean regret minus the other's, over the same seeds.
        behind_low: lower end of its 95 % bootstrap interval over seeds.
        behind_high: its upper end.
        tau: of `diswot` at 2: of the posterior after 20 short trainings and the full results,
            mean over seeds; at 0: of the score.
        seconds: of `diswot`: of the choice of 20 short trainings, mean over seeds.
    """

    table: str
    max_params: int | None
    networks: int
    method: str
    cost: float
    median: float
    low: float
    high: float
    mean: float
    other: str | None = None
    behind: float | None = None
    behind_low: float | None = None
    behind_high: float | None = None
    tau: float | None = None
    seconds: float | None = None


Regrets: TypeAlias = dict[tuple[str, float], list[float]]
"""By method and cost, one for each seed."""


def rows_of(
    table: BudgetTable, limit: int | None, store: RecordStore, progress: Progress
) -> list[BudgetRow]:
    """Return the rows of a table, from the records that exist and those that are made."""
    found: Regrets = {}
    ours: list[dict[str, Any]] = []
    for seed in range(SEEDS):
        for name, each in _records(table, limit, seed, store).items():
            for cost, regret in zip(COSTS, each["regrets"], strict=True):
                found.setdefault((name, cost), []).append(regret)
            ours += [each] if name == OURS else []
        progress(Step(f"{table.name} {limit or ''}", seed + 1, SEEDS, ""))
    mean = {name: float(np.mean([each[name] for each in ours])) for name in (*TAUS, "seconds")}
    more = {cost: {"tau": round(mean[name], 4)} for name, cost in TAUS.items()}
    size = len(table.seen(0).full)
    return [
        BudgetRow(
            *(table.name, limit, size, name, cost, *_spread(regrets)),
            **(_against_others(found, cost) | more.get(cost, {}) if name == OURS else {}),
            seconds=round(mean["seconds"], 3) if name == OURS else None,
        )
        for (name, cost), regrets in found.items()
    ]


def _records(
    table: BudgetTable, limit: int | None, seed: int, store: RecordStore
) -> dict[str, dict[str, Any]]:
    """Return the record of each method in one seed; those that are missing are made."""
    seen = table.seen(seed)
    noise = generator_for("noise of scores", table.name, seed).standard_normal(len(seen.scores))
    scores = seen.scores + NOISE * seen.scores.std() * noise
    briefs = Briefs(seen.short, Ranker(seen.features, scores))
    found = {}
    for name in available():
        key = (table.name, limit, seed, name)
        if key not in store.records:
            of = _of_ours(seen, briefs) if name == OURS else {}
            regrets = _regrets(name, seen, briefs, seed)
            store.append(dict(zip(KEY, key, strict=True)) | {"regrets": regrets} | of)
        found[name] = store.records[key]
    return found


def _of_ours(table: BudgetTable, briefs: Briefs) -> dict[str, float]:
    """Return the time of the choice of `BRIEF` short trainings, and τ before and after them."""
    started = time.process_time()
    known = briefs.first(BRIEF)
    seconds = time.process_time() - started
    before, after = _tau(briefs.ranker, {}, table), _tau(briefs.ranker, known, table)
    return {"seconds": seconds, "tau_before": before, "tau_after": after}


def _regrets(name: str, table: BudgetTable, briefs: Briefs, seed: int) -> list[float]:
    """Return the regret of a method at every cost."""
    best, method = float(table.full.max()), available()[name]
    spent = [
        Spending(table, cost, generator_for("training budgets", table.name, name, seed))
        for cost in ([max(COSTS)] if name in ANYTIME else COSTS)
    ]
    chosen = [method(each, briefs) for each in spent]
    places = [spent[0].best(cost) for cost in COSTS] if name in ANYTIME else chosen
    return [best - float(table.full[place]) for place in places]


def _spread(regrets: Sequence[float]) -> tuple[float, float, float, float]:
    """Return median, quartiles and mean."""
    low, median, high = np.percentile(regrets, [25, 50, 75]).round(3).tolist()
    return median, low, high, round(float(np.mean(regrets)), 3)


def mean_of(differences: Vector, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the mean of paired differences, and its 95 % bootstrap interval."""
    means = rng.choice(differences, (RESAMPLED, len(differences))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5]).round(3).tolist()
    return round(float(differences.mean()), 3), low, high


def _against_others(found: Regrets, cost: float) -> dict[str, Any]:
    """Return the best of the others at a cost, and how far `diswot` is behind it."""
    others = [name for name, each in found if each == cost and name != OURS]
    other = min(others, key=lambda name: float(np.mean(found[name, cost])))
    behind = np.array(found[OURS, cost]) - np.array(found[other, cost])
    mean, low, high = mean_of(behind, generator_for("bootstrap of regrets", cost))
    return {"other": other, "behind": mean, "behind_low": low, "behind_high": high}


def _tau(ranker: Ranker, known: Mapping[int, float], table: BudgetTable) -> float:
    """Return Kendall's τ of the ranking after short trainings and the full results."""
    return kendall(-np.argsort(ranker.ranking(known)).astype(float), table.full)


@click.command()
@options.DATA_ROOT
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("tables", nargs=-1, type=click.Choice([*TABLES]))
def main(data_root: str | None, folder: Path, tables: tuple[str, ...]) -> None:
    """Write benchmarks/results/training-budgets-TABLE.csv; FOLDER has what is done already."""
    torch.set_num_threads(1)
    root = find_root(data_root)
    made = {"costs": COSTS, "seeds": SEEDS, "noise": NOISE, "brief": BRIEF}
    with displayed_progress() as progress, RecordStore(folder, made, key=KEY) as store:
        for name in tables or TABLES:
            started, table = datetime.now(UTC), TABLES[name](name, root)
            limit = LIMITS[name]
            rows = rows_of(table, None, store, progress)
            rows += rows_of(table.within(limit), int(limit), store, progress)
            keep(f"training-budgets-{name}", rows, made, started)


if __name__ == "__main__":
    main()
