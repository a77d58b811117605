"""How well evolved formulas rank networks whose accuracies they were not evolved on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from diswot.bench.discovery._evolution import EvolutionSettings, evolve, tau_of
from diswot.bench.discovery._layer_table import LayerTable
from diswot.bench.rank_statistics import UndefinedStatisticError, Vector, kendall, kendall_interval
from diswot.progress import Progress, Step
from diswot.seeding import generator_for

DISCOVERED = "discovered"

BASELINES: dict[str, Callable[[LayerTable], Vector]] = {
    "student_fit": lambda table: table.student_fit,
    "params": lambda table: table.params,
    "flops": lambda table: table.macs,
}
"""Scores that are compared on the same networks, by name."""


@dataclass(frozen=True)
class LeftOutRow:
    """One score on networks that were left out.

    Attributes:
        left_out: the ground truth, or the part of a table.
        score: `discovered`, or a baseline.
        seed: seed of the evolution; `None` for a baseline of a ground truth.
        networks: number of networks.
        kendall: Kendall's τ-b on them.
        low: lower end of its 95 % bootstrap interval over the networks.
        high: upper end.
        formula: the evolved formula of a layer, which is summed over layers.
        seen: mean τ on the networks that the formula was evolved on.
    """

    left_out: str
    score: str
    seed: int | None
    networks: int
    kendall: float
    low: float
    high: float
    formula: str = ""
    seen: float | None = None


def leave_one_out(
    tables: Sequence[LayerTable], settings: EvolutionSettings, *, seeds: int, progress: Progress
) -> list[LeftOutRow]:
    """For each table, evolve formulas on the others, and rank its networks with them.

    Args:
        tables: at least two tables.
        settings: size of each evolution.
        seeds: number of evolutions for each table.
        progress: called after every evolution.
    """
    rows: list[LeftOutRow] = []
    for place, table in enumerate(tables):
        others = [*tables[:place], *tables[place + 1 :]]
        for seed in range(seeds):
            rows.append(_evolved(others, table, settings, seed))
            progress(Step("evolve", len(_discovered(rows)), len(tables) * seeds, table.name))
        rows += [_row(table, name, None, of(table)) for name, of in BASELINES.items()]
    return rows


def cross_validated(
    table: LayerTable, settings: EvolutionSettings, *, seeds: int, progress: Progress
) -> list[LeftOutRow]:
    """Split a table at random: evolve on two thirds, and rank the last third.

    Args:
        table: the table.
        settings: size of each evolution.
        seeds: number of splits, each with one evolution.
        progress: called after every evolution.
    """
    rows: list[LeftOutRow] = []
    for seed in range(seeds):
        order = generator_for(seed, "discover", "split").permutation(len(table))
        third = len(table) // 3
        tested = table.part(order[:third], f"a third of {table.name}")
        rows.append(_evolved([table.part(order[third:], table.name)], tested, settings, seed))
        rows += [_row(tested, name, seed, of(tested)) for name, of in BASELINES.items()]
        progress(Step("evolve", seed + 1, seeds))
    return rows


def _discovered(rows: Sequence[LeftOutRow]) -> list[LeftOutRow]:
    return [row for row in rows if row.score == DISCOVERED]


def _evolved(
    seen: Sequence[LayerTable], left_out: LayerTable, settings: EvolutionSettings, seed: int
) -> LeftOutRow:
    formula = evolve(seen, settings, seed=seed)
    on_seen = np.mean([tau_of(formula, table) or 0.0 for table in seen])
    scores = left_out.scores(formula)
    return _row(left_out, DISCOVERED, seed, scores, formula=str(formula), seen=float(on_seen))


def _row(
    table: LayerTable,
    score: str,
    seed: int | None,
    scores: Vector,
    *,
    formula: str = "",
    seen: float | None = None,
) -> LeftOutRow:
    try:
        tau = kendall(scores, table.accuracies)
        low, high = kendall_interval(scores, table.accuracies)
    except UndefinedStatisticError:  # the scores are all equal, or not finite
        tau = low = high = 0.0
    return LeftOutRow(table.name, score, seed, len(table), tau, low, high, formula, seen)
