"""Tables of short and full trainings, with scores and costs of each network."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results_folder import RESULTS
from diswot.bench import EMBEDDED
from diswot.bench.ground_truths import GroundTruth, Vector, find_truth
from diswot.bench.rank_statistics import kendall
from diswot.csv_table import Table, read_csv
from diswot.search.few_shot import features_of, normal_scores
from diswot.seeding import generator_for
from search_spaces import Architecture, SearchSpace

SIMULATED = 0.7
"""Kendall's τ of simulated short results with the full ones: that of 12 and 200 epochs of the cells
of NAS-Bench-201 on CIFAR-10."""

DRAWS = 20
"""Simulated short trainings of each network."""

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
        short: accuracies in % after short trainings (N,); (S, N) if there are S trainings of each.
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
    def genes(self) -> NDArray[np.str_]:
        """The genes of each network as text (N, G); shorter architectures are padded."""
        rows = [genes_of(arch) for arch in self._effective]
        longest = max(map(len, rows))
        return np.array([[*row, *[""] * (longest - len(row))] for row in rows])

    @cached_property
    def _codes(self) -> tuple[dict[str, int], NDArray[np.int64]]:
        words = np.unique(self.genes).tolist()
        return {word: n for n, word in enumerate(words)}, np.searchsorted(words, self.genes)

    def nearest(self, genes: Sequence[str], rng: np.random.Generator) -> int:
        """Return the network that differs in the fewest genes, at random among ties."""
        numbers, codes = self._codes
        padded = [*genes, *[""] * codes.shape[1]][: codes.shape[1]]
        differ = (codes != np.array([numbers.get(gene, -1) for gene in padded])).sum(axis=1)
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
        """Return what a seed sees: one short training of each network.

        Of a small table it is two thirds of the networks, drawn at random: otherwise all seeds
        would do nearly the same.
        """
        size = len(self.full)
        trained = replace(self, short=self._trainings[seed % len(self._trainings)])
        if size >= SMALL:
            return trained
        rng = generator_for("networks of a budget", self.name, seed)
        return trained._part(np.sort(rng.permutation(size)[: round(DRAWN * size)]))

    @property
    def _trainings(self) -> NDArray[np.float64]:
        return np.atleast_2d(self.short)

    def _part(self, kept: NDArray[np.int64]) -> "BudgetTable":
        return replace(
            self,
            architectures=tuple(self.architectures[place] for place in kept),
            **{
                name: getattr(self, name)[..., kept]
                for name in ("scores", "params", "macs", "short", "full")
            },
        )


def genes_of(arch: Architecture) -> tuple[str, ...]:
    """Return the genes of an architecture as text, with those of nested tuples in their place."""
    return tuple(_flat(arch))


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, tuple):
        for each in value:
            yield from _flat(each)
    else:
        yield str(value)


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
    table, found = read_csv(RESULTS / f"{scores}.csv"), find_truth(truth, root)
    part = found.part(_places(found, table))
    accuracies = part.accuracies(full)
    return BudgetTable(
        name,
        part.space,
        part.architectures,
        _means(table),
        table.numbers("params"),
        table.numbers("macs"),
        simulated(accuracies, name) if short is None else part.accuracies(short),
        accuracies,
        share,
    )


def thin(name: str, root: Path) -> BudgetTable:
    """Return the networks of `digits-thin`, with three short trainings of each."""
    found, table = find_truth("digits-thin", root), read_csv(EMBEDDED / "digits-thin.csv")
    scored = read_csv(RESULTS / "filled-digits-thin.csv")
    scores = dict(zip(scored.column("arch"), _means(scored), strict=True))
    return BudgetTable(
        name,
        found.space,
        found.architectures,
        np.array([scores[arch] for arch in table.column("arch")]),
        table.numbers("params"),
        table.numbers("macs"),
        np.array([table.numbers(f"short_{seed}") for seed in range(3)]),
        found.accuracies("distilled"),
        share=0.2,
    )


def _means(table: Table) -> Vector:
    """Return the mean score over initializations."""
    return np.array([np.array(cell.split(), float).mean() for cell in table.column("scores")])


def _places(truth: GroundTruth, table: Table) -> list[int]:
    """Return where the networks of a table are in a truth."""
    places = {truth.space.to_string(arch): n for n, arch in enumerate(truth.architectures)}
    return [places[name] for name in table.column("arch")]


def simulated(full: Vector, name: str) -> NDArray[np.float64]:
    """Return simulated short results (S, N): full ones, with noise on their normal scores.

    Args:
        full: results of full trainings (N,).
        name: of the table, from which the noise is drawn.
    """
    exact = normal_scores(full)
    noise = generator_for("simulated short trainings", name).standard_normal((DRAWS, len(full)))
    few, some = 0.0, 4.0
    for _ in range(12):
        middle = (few + some) / 2
        more = kendall(exact + middle * noise[0], full) > SIMULATED
        few, some = (middle, some) if more else (few, middle)
    found: NDArray[np.float64] = full.mean() + full.std() * (exact + few * noise)
    return found


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
    "digits-thin": thin,
}
"""Short trainings of cells have 12 of 200 epochs, and those of thin networks 4 of 20. Those of S0
and of AutoFormer are whole trainings without the teacher; those of the others are simulated."""

LIMITS = {
    "nas-bench-201": 500_000.0,
    "nas-bench-201-cifar10": 500_000.0,
    "nas-bench-macro": 1_200_000.0,
    "nats-sss": 200_000.0,
    "resnet-s0": 300_000.0,
    "autoformer": 7_000_000.0,
    "digits-thin": 4_000.0,
}
"""Maximum number of parameters in rows with a budget."""
