"""What a budget of trainings buys, from tables: `python -m benchmarks.training_budgets`.

Every method spends the same number of full trainings, in short or full ones, and names a network;
its regret is how far that is behind the best of the table. Methods read a table's short result for
what they train briefly and its full result for what they train in full, and nothing else. TPE needs
optuna (`pip install optuna`); without it there are no rows of it.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click
import numpy as np
import torch

from benchmarks.budget_methods import Briefs, Spending, available
from benchmarks.budget_tables import LIMITS, TABLES, BudgetTable
from benchmarks.results_folder import keep
from diswot.bench.rank_statistics import kendall
from diswot.cli import displayed_progress, options
from diswot.progress import Progress, Step
from diswot.search.few_shot import Ranker
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root

COSTS = (0.0, 0.5, 1.0, 2.0, 6.0, 10.0)
SEEDS = 20
NOISE = 0.1
"""Standard deviation that a seed adds to scores, over theirs: between initializations."""

BRIEF = 20
"""Short trainings after which the order of the posterior is compared with the full results."""

BRIEF_AT = 2.0
"""The cost in whose rows that is written."""


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
    tau: float | None
    seconds: float | None


def rows_of(table: BudgetTable, limit: int | None, progress: Progress) -> list[BudgetRow]:
    """Return the rows of a table."""
    found: dict[tuple[str, float], list[float]] = {}
    taus: dict[float, list[float]] = {0.0: [], BRIEF_AT: []}
    seconds, features, methods = [], table.features(), available(table)
    for seed in range(SEEDS):
        rng = generator_for("training budgets", table.name, seed)
        noise = NOISE * table.scores.std() * rng.standard_normal(len(table.scores))
        briefs = Briefs(table, Ranker(features, table.scores + noise))
        started = time.process_time()
        known = briefs.first(BRIEF)
        seconds.append(time.process_time() - started)
        taus[0.0].append(_tau(briefs.ranker, {}, table))
        taus[BRIEF_AT].append(_tau(briefs.ranker, known, table))
        for name, method in methods.items():
            for cost in COSTS:
                place = method(Spending(table, cost, rng), briefs)
                regret = float(table.full.max() - table.full[place])
                found.setdefault((name, cost), []).append(regret)
        progress(Step(f"{table.name} {limit or ''}", seed + 1, SEEDS, ""))
    means = _means(taus, seconds)
    return [
        _row(table, limit, name, cost, regrets, means if name == "diswot" else {})
        for (name, cost), regrets in found.items()
    ]


def _row(
    table: BudgetTable,
    limit: int | None,
    name: str,
    cost: float,
    regrets: Sequence[float],
    means: Mapping[float, tuple[float, float]],
) -> BudgetRow:
    low, median, high = np.percentile(regrets, [25, 50, 75]).round(3).tolist()
    tau, seconds = means.get(cost, (None, None))
    size = len(table.full)
    return BudgetRow(table.name, limit, size, name, cost, median, low, high, tau, seconds)


def _means(
    taus: Mapping[float, Sequence[float]], seconds: Sequence[float]
) -> dict[float, tuple[float, float]]:
    """Return τ and seconds by the cost in whose rows they are written."""
    spent = round(float(np.mean(seconds)), 3)
    return {cost: (round(float(np.mean(each)), 4), spent) for cost, each in taus.items()}


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
            started, table = datetime.now(UTC), TABLES[name](root)
            limit = LIMITS[name]
            rows = rows_of(table, None, progress)
            rows += rows_of(table.within(limit), int(limit), progress)
            made = {"costs": COSTS, "seeds": SEEDS, "noise": NOISE, "brief": BRIEF}
            keep(f"training-budgets-{name}", rows, made, started)


if __name__ == "__main__":
    main()
