"""What a budget of trainings buys, from tables: `python -m benchmarks.training_budgets`.

Every method spends the same number of full trainings, in short or full ones, and names a network;
its regret is how far that is behind the best of the table. Methods read a table's short result for
what they train briefly and its full result for what they train in full, and nothing else. TPE needs
optuna (`pip install optuna`); without it there are no rows of it.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import click
import numpy as np
import torch

from benchmarks.budget_methods import ANYTIME, Briefs, Spending, available
from benchmarks.budget_tables import LIMITS, TABLES, BudgetTable
from benchmarks.results_folder import keep
from diswot.bench.rank_statistics import kendall
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

BRIEF_AT = 2.0
"""The cost in whose rows that is written."""

OURS = "diswot"
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


def rows_of(table: BudgetTable, limit: int | None, progress: Progress) -> list[BudgetRow]:
    """Return the rows of a table."""
    results: Regrets = {}
    taus: dict[float, list[float]] = {0.0: [], BRIEF_AT: []}
    seconds: list[float] = []
    for seed in range(SEEDS):
        seen = table.seen(seed)
        noise = generator_for("noise of scores", table.name, seed).standard_normal(len(seen.scores))
        scores = seen.scores + NOISE * seen.scores.std() * noise
        briefs = Briefs(seen.short, Ranker(seen.features, scores))
        started = time.process_time()
        known = briefs.first(BRIEF)
        seconds.append(time.process_time() - started)
        taus[0.0].append(_tau(briefs.ranker, {}, seen))
        taus[BRIEF_AT].append(_tau(briefs.ranker, known, seen))
        for name, cost, regret in _regrets(seen, briefs, seed):
            results.setdefault((name, cost), []).append(regret)
        progress(Step(f"{table.name} {limit or ''}", seed + 1, SEEDS, ""))
    spent = round(float(np.mean(seconds)), 3)
    more = {cost: {"tau": round(float(np.mean(tau)), 4)} for cost, tau in taus.items()}
    size = len(table.seen(0).full)
    return [
        BudgetRow(
            *(table.name, limit, size, name, cost, *_spread(regrets)),
            **(_against_others(results, cost) | more.get(cost, {}) if name == OURS else {}),
            seconds=spent if name == OURS else None,
        )
        for (name, cost), regrets in results.items()
    ]


def _regrets(table: BudgetTable, briefs: Briefs, seed: int) -> Iterator[tuple[str, float, float]]:
    """Yield method, cost and regret of every method at every cost."""
    best = float(table.full.max())
    for name, method in available(table).items():
        rng = generator_for("training budgets", table.name, name, seed)
        if name in ANYTIME:
            spending = Spending(table, max(COSTS), rng)
            method(spending, briefs)
            for cost in COSTS:
                yield name, cost, best - float(table.full[spending.best(cost)])
        else:
            for cost in COSTS:
                place = method(Spending(table, cost, rng), briefs)
                yield name, cost, best - float(table.full[place])


def _spread(regrets: Sequence[float]) -> tuple[float, float, float, float]:
    """Return median, quartiles and mean."""
    low, median, high = np.percentile(regrets, [25, 50, 75]).round(3).tolist()
    return median, low, high, round(float(np.mean(regrets)), 3)


def _against_others(regrets: Regrets, cost: float) -> dict[str, Any]:
    """Return the best of the others at a cost, and how far `diswot` is behind it."""
    others = [name for name, item in regrets if item == cost and name != OURS]
    other = min(others, key=lambda name: float(np.mean(regrets[name, cost])))
    behind = np.array(regrets[OURS, cost]) - np.array(regrets[other, cost])
    rng = generator_for("bootstrap of regrets", cost)
    means = rng.choice(behind, (RESAMPLED, len(behind))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5]).round(3).tolist()
    mean = round(float(behind.mean()), 3)
    return {"other": other, "behind": mean, "behind_low": low, "behind_high": high}


def _tau(ranker: Ranker, known: Mapping[int, float], table: BudgetTable) -> float:
    """Return Kendall's τ of the ranking after short trainings and the full results."""
    return kendall(-np.argsort(ranker.ranking(known)).astype(float), table.full)


@click.command()
@options.DATA_ROOT
@click.argument("tables", nargs=-1, type=click.Choice([*TABLES]))
def main(data_root: str | None, tables: tuple[str, ...]) -> None:
    """Write benchmarks/results/training-budgets-TABLE.csv."""
    torch.set_num_threads(1)
    root = find_root(data_root)
    with displayed_progress() as progress:
        for name in tables or TABLES:
            started, table = datetime.now(UTC), TABLES[name](name, root)
            limit = LIMITS[name]
            rows = rows_of(table, None, progress)
            rows += rows_of(table.within(limit), int(limit), progress)
            provenance = {"costs": COSTS, "seeds": SEEDS, "noise": NOISE, "brief": BRIEF}
            keep(f"training-budgets-{name}", rows, provenance, started)


if __name__ == "__main__":
    main()
