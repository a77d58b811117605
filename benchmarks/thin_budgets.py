"""What the default search is worth within budgets: `python -m benchmarks.thin_budgets`.

On the truth `digits-thin`, over 27 budgets (nine each of parameters, multiply-adds and
milliseconds) and twenty seeds: the regret of the student that the default search ends with, of the
largest within the budget, of a random one, and of the one after twenty short trainings. The search
is that of `diswot search`: its scores, its engine, its number of evaluations, among the networks
of the truth. A short training reads the truth's short accuracies, of one training seed each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.budget_methods import Briefs
from benchmarks.results_folder import keep
from diswot.bench import EMBEDDED
from diswot.bench.ground_truths import GroundTruth, Vector, find_truth
from diswot.bench.measurement import Measured
from diswot.bench.paired import paired_interval
from diswot.bench.search_bench import Landscape, found_after
from diswot.cli import displayed_progress, options
from diswot.csv_table import read_csv
from diswot.options import DEFAULT_SCORER
from diswot.progress import Progress, tracked
from diswot.search import Budget, EngineSettings, Evaluator, resolve_scoring
from diswot.search.few_shot import Ranker, features_of
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root
from diswot.tasks.images import load_data
from search_spaces import Architecture

SEEDS = 20
SHARES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
"""Of the networks that meet a budget: of each cost, so many of the truth's."""

TRAININGS = 20
"""Number of short trainings."""

COSTS = ("params", "macs", "latency_ms")

DRAWN = 200
"""Times that the networks are drawn again for an interval; the top-scoring of those is taken."""

PAIRS = (
    ("search", "largest"),
    ("search", "random"),
    ("trainings", "search"),
    ("trainings", "largest"),
    ("trainings", "random"),
)


@dataclass(frozen=True)
class BudgetRow:
    """Mean regrets in points within one budget, over the seeds.

    Attributes:
        cost: what is limited.
        limit: to how much.
        networks: that are within it.
        best: accuracy of the best of them, in %.
        search: regret of the default search's student.
        trainings: after twenty short trainings of it.
        largest: of the network with the most parameters.
        random: of a random one.
    """

    cost: str
    limit: float
    networks: int
    best: float
    search: float
    trainings: float
    largest: float
    random: float


@dataclass(frozen=True)
class DifferenceRow:
    """How much lower the regret of one choice is than that of another, over budgets and seeds.

    Attributes:
        ours: the choice.
        other: what it is compared with.
        mean: difference of the regrets, in points; above zero where ours is better.
        low: end of its 95 % interval over the seeds.
        high: the other end.
        networks_low: end of the interval over the networks of the truth, drawn again.
        networks_high: the other end.
    """

    ours: str
    other: str
    mean: float
    low: float
    high: float
    networks_low: float
    networks_high: float


@dataclass(frozen=True, eq=False)
class Table:
    """What is known of the networks of the truth, each (N,).

    Attributes:
        truth: its architectures and accuracies.
        costs: by name.
        short: results of short trainings, by training seed.
    """

    truth: GroundTruth
    costs: dict[str, Vector]
    short: list[Vector]

    @classmethod
    def read(cls, root: Path) -> "Table":
        """Return the table that is part of the package."""
        table = read_csv(EMBEDDED / "digits-thin.csv")
        costs = {name: table.numbers(name) for name in COSTS}
        short = [table.numbers(f"short_{seed}") for seed in range(3)]
        return cls(find_truth("digits-thin", root), costs, short)

    @property
    def full(self) -> Vector:
        """Accuracies after a full distillation."""
        return self.truth.accuracies("distilled")

    def features(self, places: Sequence[int], scores: Vector) -> Vector:
        """Return what the ranker of short trainings knows of some networks."""
        names = [self.truth.space.to_string(self.truth.architectures[i]) for i in places]
        costs = [self.costs[name][places] for name in ("params", "macs")]
        return features_of(names, [*costs, scores])


def scored(table: Table, seed: int) -> list[Measured]:
    """Return the terms of the default score of all networks, as a search of a seed finds them."""
    evaluator = resolve_scoring(
        "resnet56", "thin", data="digits", scorer=DEFAULT_SCORER, seed=seed
    ).evaluator
    return [_measured(evaluator, arch) for arch in table.truth.architectures]


def _measured(evaluator: Evaluator, arch: Architecture) -> Measured:
    result = evaluator.evaluate(arch)
    return Measured(result.costs.params, result.costs.macs, result.terms, {})


def choices(
    table: Table, measured: Sequence[Measured], indices: Sequence[int], seed: int, *, engine: bool
) -> dict[str, int]:
    """Return the place that each way of choosing ends with, among networks within a budget.

    Args:
        table: what is known.
        measured: the scores of all networks.
        indices: of the networks within the budget.
        seed: of search, random choice and short trainings.
        engine: whether to search as `diswot search` does; else the top-scoring is taken.
    """
    scores = np.array([np.mean(measured[i].terms[DEFAULT_SCORER]) for i in indices])
    rng = generator_for("thin budgets", seed, len(indices))
    top = indices[int(scores.argmax())]
    return {
        "search": searched(table, measured, indices, seed) if engine else top,
        "trainings": indices[trained(table, indices, scores, seed)],
        "largest": indices[int(table.costs["params"][indices].argmax())],
        "random": indices[int(rng.integers(len(indices)))],
    }


def searched(table: Table, measured: Sequence[Measured], indices: Sequence[int], seed: int) -> int:
    """Return the place of what the default search ends with."""
    part, budget = table.truth.part(indices), Budget()
    known = [measured[i] for i in indices]
    landscape = Landscape.of(
        part, "distilled", known, signature=load_data("digits").signature, budget=budget
    )
    evaluator, engine = landscape.scored(DEFAULT_SCORER).evaluator, EngineSettings()
    count = engine.population * (1 + engine.generations)
    result = found_after([count], evaluator, engine, budget=budget, seed=seed)[0]
    return indices[part.architectures.index(result.architecture)]


def trained(table: Table, indices: Sequence[int], scores: Vector, seed: int) -> int:
    """Return who is first among networks after short trainings of some of them."""
    ranker = Ranker(table.features(indices, scores), scores)
    short = table.short[seed % len(table.short)][indices]
    return int(ranker.ranking(Briefs(short, ranker).first(TRAININGS))[0])


def budgets(table: Table) -> list[tuple[str, float]]:
    """Return the costs that are limited, and to how much."""
    return [
        (name, float(np.quantile(table.costs[name], share, method="inverted_cdf")))
        for name in COSTS
        for share in SHARES
    ]


def regrets(
    table: Table,
    measured: Sequence[Measured],
    networks: Sequence[int],
    seed: int,
    *,
    engine: bool = False,
) -> dict[str, Vector]:
    """Return the regret of each choice within each budget, among some of the networks."""
    rows = []
    for name, limit in budgets(table):
        indices = [i for i in networks if table.costs[name][i] <= limit]
        best = table.full[indices].max()
        result = choices(table, measured, indices, seed, engine=engine)
        rows.append({choice: best - table.full[place] for choice, place in result.items()})
    return {choice: np.array([row[choice] for row in rows]) for choice in rows[0]}


def differences(by_seed: Vector, by_draw: Vector, ours: str, other: str) -> DifferenceRow:
    """Return the mean difference of two choices, with its intervals.

    Args:
        by_seed: mean over budgets in each seed.
        by_draw: in each draw of the networks.
        ours: the choice.
        other: what it is compared with.
    """
    of_seeds = (round(end, 3) for end in paired_interval(by_seed))
    of_draws = np.percentile(by_draw, [2.5, 97.5]).round(3).tolist()
    return DifferenceRow(ours, other, round(float(by_seed.mean()), 3), *of_seeds, *of_draws)


def thin_budgets(table: Table, progress: Progress) -> tuple[list[BudgetRow], list[DifferenceRow]]:
    """Return the regrets within each budget, and their differences."""
    everything = range(len(table.truth))
    result, drawn = [], []
    for seed in tracked(range(SEEDS), progress, "search", SEEDS):
        measured = scored(table, seed)
        result.append(regrets(table, measured, everything, seed, engine=True))
        rng = generator_for("thin budgets", "networks", seed)
        for _ in range(DRAWN // SEEDS):
            networks = np.unique(rng.integers(len(everything), size=len(everything)))
            drawn.append(regrets(table, measured, networks.tolist(), seed))
    return [_row(table, result, n) for n in range(len(budgets(table)))], [
        differences(
            np.array([np.mean(item[other] - item[ours]) for item in result]),
            np.array([np.mean(item[other] - item[ours]) for item in drawn]),
            ours,
            other,
        )
        for ours, other in PAIRS
    ]


def _row(table: Table, found: Sequence[dict[str, Vector]], number: int) -> BudgetRow:
    name, limit = budgets(table)[number]
    within = table.costs[name] <= limit
    means = {c: round(float(np.mean([item[c][number] for item in found])), 3) for c in found[0]}
    return BudgetRow(name, limit, int(within.sum()), float(table.full[within].max()), **means)


@click.command()
@options.DATA_ROOT
def main(data_root: str | None) -> None:
    """Write benchmarks/results/thin-budgets.csv and thin-differences.csv."""
    torch.set_num_threads(1)
    started = datetime.now(UTC)
    with displayed_progress() as progress:
        rows, compared = thin_budgets(Table.read(find_root(data_root)), progress)
    provenance = {"seeds": SEEDS, "shares": SHARES, "trainings": TRAININGS, "drawn": DRAWN}
    keep("thin-budgets", rows, provenance, started)
    keep("thin-differences", compared, provenance, started)


if __name__ == "__main__":
    main()
