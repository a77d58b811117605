"""Tables of short and full trainings, with scores and costs of each network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results_folder import RESULTS
from diswot.bench.ground_truths import GroundTruth, Vector, find_truth
from diswot.bench.rank_statistics import kendall
from diswot.csv_table import Table, read_csv
from diswot.search.few_shot import features_of, normal_scores
from diswot.seeding import generator_for
from search_spaces import Architecture, SearchSpace

SIMULATED = 0.7
"""Kendall's τ of simulated short results with the full ones: that of 12 and 200 epochs of the cells
of NAS-Bench-201 on CIFAR-10."""

SMALL = 1_000
"""Networks below which every seed sees some of a table, drawn at random."""

DRAWN = 2 / 3
"""How many."""


@dataclass(frozen=True, eq=False)
class BudgetTable:
    """Networks with the results of their trainings.

    Attributes:
        name: name of the table.
        space: search space of the architectures.
        architectures: N architectures, one per distinct network.
        scores: training-free scores (N,).
        params: numbers of parameters (N,).
        macs: multiply-adds (N,).
        short: accuracies in % after short trainings (N,).
        full: accuracies in % after full trainings (N,).
        share: epochs of a short training divided by those of a full one.
    """

    name: str
    space: SearchSpace
    architectures: tuple[Architecture, ...]
    scores: Vector
    params: Vector
    macs: Vector
    short: Vector
    full: Vector
    share: float

    @cached_property
    def _effective(self) -> list[Architecture]:
        return [self.space.effective(arch) for arch in self.architectures]

    @cached_property
    def _genes(self) -> NDArray[np.str_]:
        return np.array([[str(gene) for gene in arch] for arch in self._effective])

    def nearest(self, genes: Sequence[str], rng: np.random.Generator) -> int:
        """Return the network that differs in the fewest genes, at random among ties."""
        differ = (self._genes != np.array(genes)).sum(axis=1)
        return int(rng.choice(np.flatnonzero(differ == differ.min())))

    @cached_property
    def features(self) -> NDArray[np.float64]:
        """The ranker's features of each network."""
        names = [" ".join(map(str, arch)) for arch in self._effective]
        return features_of(names, [self.params, self.macs, self.scores])

    def within(self, max_params: float) -> "BudgetTable":
        """Return the networks with at most `max_params` parameters."""
        return self._part(np.flatnonzero(self.params <= max_params))

    def seen(self, seed: int) -> "BudgetTable":
        """Return what a seed sees: the table, or of a small one two thirds, drawn at random.

        Otherwise all seeds would do nearly the same on a small table.
        """
        size = len(self.full)
        if size >= SMALL:
            return self
        rng = generator_for("networks of a budget", self.name, seed)
        return self._part(np.sort(rng.permutation(size)[: round(DRAWN * size)]))

    def _part(self, kept: NDArray[np.int64]) -> "BudgetTable":
        return replace(
            self,
            architectures=tuple(self.architectures[place] for place in kept),
            **{
                name: getattr(self, name)[kept]
                for name in ("scores", "params", "macs", "short", "full")
            },
        )


def measured(
    name: str, root: Path, *, truth: str, scores: str, short: str | None, full: str, share: float
) -> BudgetTable:
    """Return the networks of a truth whose default score was measured.

    Args:
        name: of the table.
        root: the data root.
        truth: where accuracies are.
        scores: table in benchmarks/results of the default score in several initializations.
        short: column of short trainings; `None` simulates them.
        full: column of full trainings.
        share: epochs of a short training over those of a full one.
    """
    table, result = read_csv(RESULTS / f"{scores}.csv"), find_truth(truth, root)
    part = result.part(_places(result, table))
    accuracies = part.accuracies(full)
    return BudgetTable(
        name,
        part.space,
        part.architectures,
        np.array([np.array(cell.split(), float).mean() for cell in table.column("scores")]),
        table.numbers("params"),
        table.numbers("macs"),
        _simulated(accuracies, name) if short is None else part.accuracies(short),
        accuracies,
        share,
    )


def _places(truth: GroundTruth, table: Table) -> list[int]:
    """Return where the networks of a table are in a truth."""
    indices = {truth.space.to_string(arch): n for n, arch in enumerate(truth.architectures)}
    return [indices[name] for name in table.column("arch")]


def _simulated(full: Vector, name: str) -> Vector:
    """Return full results with normal noise on their normal scores, as much as `SIMULATED` says."""
    exact = normal_scores(full)
    noise = generator_for("simulated short trainings", name).standard_normal(len(full))
    few, some = 0.0, 4.0
    for _ in range(12):
        middle = (few + some) / 2
        more = kendall(exact + middle * noise, full) > SIMULATED
        few, some = (middle, some) if more else (few, middle)
    result: Vector = full.mean() + full.std() * (exact + few * noise)
    return result


_CELLS = partial(measured, truth="nas-bench-201", scores="space-scores-nas-bench-201", share=0.06)
_SIMULATED = partial(measured, short=None, full="cifar10", share=0.1)
_ALONE = partial(measured, short="vanilla", full="distilled", share=0.1)

TABLES: dict[str, Callable[[str, Path], BudgetTable]] = {
    "nas-bench-201": partial(_CELLS, short="cifar100-12ep", full="cifar100"),
    "nas-bench-201-cifar10": partial(_CELLS, short="cifar10-12ep", full="cifar10"),
    "nas-bench-macro": partial(
        _SIMULATED, truth="nas-bench-macro", scores="space-scores-nas-bench-macro"
    ),
    "nats-sss": partial(_SIMULATED, truth="nats-sss", scores="space-scores-nats-sss"),
    "resnet-s0": partial(_ALONE, truth="resnet-s0", scores="filled-resnet-s0"),
    "autoformer": partial(_ALONE, truth="autoformer-224", scores="filled-autoformer-224"),
}
"""Short trainings of cells have 12 of 200 epochs; those of S0 and of AutoFormer are without
the teacher, and those of the others simulated."""

LIMITS = {
    "nas-bench-201": 500_000.0,
    "nas-bench-201-cifar10": 500_000.0,
    "nas-bench-macro": 1_200_000.0,
    "nats-sss": 200_000.0,
    "resnet-s0": 300_000.0,
    "autoformer": 7_000_000.0,
}
"""Maximum number of parameters in rows with a budget."""
