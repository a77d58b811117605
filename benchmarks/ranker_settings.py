"""Settings of the ranker, selected with each ground truth left out.

`python -m benchmarks.ranker_settings [SETTING…]` measures the mean regret of the search with each
setting, on the tables of `benchmarks.training_budgets` that have fewer than 1,000 networks, and
writes benchmarks/results/ranker-settings.csv. Rows of settings that are not named are kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.budget_methods import Briefs, Spending, diswot
from benchmarks.budget_tables import LIMITS, SMALL, TABLES, BudgetTable
from benchmarks.results_folder import RESULTS, keep
from benchmarks.training_budgets import NOISE
from diswot.cli import displayed_progress, options
from diswot.csv_table import read_table
from diswot.progress import tracked
from diswot.search.few_shot import Ranker, RankerSettings
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root

COSTS = (1.0, 2.0, 6.0)
SEEDS = 20

_DEFAULT = RankerSettings()
_EVEN = tuple(replace(each, odds=1) for each in _DEFAULT.assumptions)
_TRUSTING = tuple(each for each in _DEFAULT.assumptions if each.score > 0.5)

SETTINGS: Mapping[str, RankerSettings] = {
    "default": _DEFAULT,
    "three first trainings": RankerSettings(first=3),
    "eight first trainings": RankerSettings(first=8),
    "first trainings from the best 5 %": RankerSettings(best=0.05),
    "first trainings from the best 30 %": RankerSettings(best=0.3),
    "best short training never first": RankerSettings(trusted=2.0),
    "best short training always first": RankerSettings(trusted=0.0),
    "independent errors": RankerSettings(shared_error=0.0),
    "errors half shared": RankerSettings(shared_error=0.5),
    "assumptions equally likely": RankerSettings(assumptions=_EVEN),
    "score always trusted": RankerSettings(assumptions=_TRUSTING),
}


@dataclass(frozen=True)
class SettingRow:
    """Regret of the search with one setting.

    Attributes:
        setting: name of the setting.
        table: name of the table.
        max_params: maximum number of parameters; empty for no limit.
        cost: budget in full trainings.
        mean: mean regret over the seeds, in points.
        relative: `mean` divided by the mean regret of a random network of the table.
    """

    setting: str
    table: str
    max_params: int | None
    cost: float
    mean: float
    relative: float


def small_tables(root: Path) -> Iterator[tuple[BudgetTable, int | None]]:
    """Yield the tables with fewer than 1,000 networks, and their limits."""
    for name, read in TABLES.items():
        table, limit = read(name, root), int(LIMITS[name])
        for part, most in ((table, None), (table.within(limit), limit)):
            if len(part.full) < SMALL:
                yield part, most


def rows_of(setting: str, table: BudgetTable, limit: int | None) -> list[SettingRow]:
    """Return the regrets of a setting on one table."""
    regrets, random = [], []
    for seed in range(SEEDS):
        seen = table.seen(seed)
        noise = generator_for("noise of scores", table.name, seed).standard_normal(len(seen.scores))
        scores = seen.scores + NOISE * seen.scores.std() * noise
        briefs = Briefs(seen.short, Ranker(seen.features, scores, settings=SETTINGS[setting]))
        best = float(seen.full.max())
        rng = generator_for("ranker settings", table.name, seed)
        places = [diswot(Spending(seen, cost, rng), briefs) for cost in COSTS]
        regrets.append([best - float(seen.full[place]) for place in places])
        random.append(best - float(seen.full.mean()))
    means = np.mean(regrets, axis=0)
    return [
        SettingRow(
            setting,
            table.name,
            limit,
            cost,
            round(float(mean), 4),
            round(float(mean / np.mean(random)), 5),
        )
        for cost, mean in zip(COSTS, means, strict=True)
    ]


def earlier() -> list[SettingRow]:
    """Return the rows that have been written."""
    path = RESULTS / "ranker-settings.csv"
    return [
        SettingRow(
            row["setting"],
            row["table"],
            int(row["max_params"]) if row["max_params"] else None,
            float(row["cost"]),
            float(row["mean"]),
            float(row["relative"]),
        )
        for row in (read_table(path) if path.exists() else [])
    ]


@click.command()
@options.DATA_ROOT
@click.argument("names", nargs=-1, type=click.Choice([*SETTINGS]))
def main(data_root: str | None, names: tuple[str, ...]) -> None:
    """Write benchmarks/results/ranker-settings.csv."""
    torch.set_num_threads(1)
    started, chosen = datetime.now(UTC), names or tuple(SETTINGS)
    tables = [*small_tables(find_root(data_root))]
    rows = {(r.setting, r.table, r.max_params, r.cost): r for r in earlier()}
    with displayed_progress() as progress:
        for setting in tracked(chosen, progress, "settings", len(chosen)):
            for table, limit in tables:
                found = rows_of(setting, table, limit)
                rows |= {(r.setting, r.table, r.max_params, r.cost): r for r in found}
            keep("ranker-settings", [*rows.values()], {"costs": COSTS, "seeds": SEEDS}, started)


if __name__ == "__main__":
    main()
