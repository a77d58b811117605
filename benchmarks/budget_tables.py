"""Tables of short and full trainings, with scores and costs of each network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from benchmarks.lab.forms import FORMS, Network, networks_of
from benchmarks.results_folder import RESULTS
from diswot.bench.ground_truths import GroundTruth, Vector, find_truth
from diswot.csv_table import read_csv
from diswot.search.few_shot import genes, grouped, normal_scores
from search_spaces import Architecture, SearchSpace

FORM = "r ln r · √filled"
"""The training-free score: of `python -m benchmarks.lab.forms`, in one pass of eight images."""


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
    def _genes(self) -> NDArray[np.str_]:
        effective = [self.space.effective(arch) for arch in self.architectures]
        return np.array([[str(gene) for gene in arch] for arch in effective])

    def nearest(self, genes: Sequence[str], rng: np.random.Generator) -> int:
        """Return the network that differs in the fewest genes, at random among ties."""
        differ = (self._genes != np.array(genes)).sum(axis=1)
        return int(rng.choice(np.flatnonzero(differ == differ.min())))

    def features(self) -> NDArray[np.float64]:
        """Return the ranker's features of each network."""
        effective = [self.space.effective(arch) for arch in self.architectures]
        names = [" ".join(map(str, arch)) for arch in effective]
        numbers = [normal_scores(each) for each in (self.params, self.macs, self.scores)]
        return grouped([*genes(names), np.column_stack(numbers)])

    def within(self, max_params: float) -> "BudgetTable":
        """Return the networks with at most `max_params` parameters."""
        kept = np.flatnonzero(self.params <= max_params)
        return replace(
            self,
            architectures=tuple(self.architectures[place] for place in kept),
            scores=self.scores[kept],
            params=self.params[kept],
            macs=self.macs[kept],
            short=self.short[kept],
            full=self.full[kept],
        )


def cells(root: Path) -> BudgetTable:
    """All cells of NAS-Bench-201 on CIFAR-100, after 12 and 200 epochs; one cell of each class.

    The score is measured on 300 cells and predicted for the others from pairs of operations.
    """
    truth = find_truth("nas-bench-201", root)
    first: dict[str, int] = {}
    for place, arch in enumerate(truth.architectures):
        first.setdefault(truth.space.canonical_key(arch), place)
    part = truth.part([*first.values()])
    costs = read_csv(root / "nas-bench-201" / "accuracies.csv")
    places = [*first.values()]
    return BudgetTable(
        "nas-bench-201",
        part.space,
        part.architectures,
        _predicted(part),
        1e6 * costs.numbers("params_M")[places],
        1e6 * costs.numbers("flops_M")[places],
        part.accuracies("cifar100-12ep"),
        part.accuracies("cifar100"),
        12 / 200,
    )


def _predicted(truth: GroundTruth) -> Vector:
    """Return the score of every cell, from that of the cells whose layers were measured."""
    table = read_csv(RESULTS / "layers-nas-bench-201.csv")
    space = truth.space
    known = [space.effective(space.from_string(name)) for name in table.column("arch")]
    wanted = [space.effective(arch) for arch in truth.architectures]
    pairs = [_pairs(arch) for arch in (*known, *wanted)]
    columns = genes(pairs)[1]
    networks, _ = networks_of("nas-bench-201")
    scores = np.array([FORMS[FORM](network) for network in networks])
    fitted = RidgeCV(np.logspace(-2, 3, 12)).fit(columns[: len(known)], scores)
    predicted: Vector = fitted.predict(columns[len(known) :])
    return predicted


def _pairs(arch: Sequence[str]) -> str:
    """Return the operations of a cell at their edges, and all pairs of them, as words."""
    placed = [f"{edge}:{operation}" for edge, operation in enumerate(arch)]
    both = [f"{a}~{b}" for n, a in enumerate(placed) for b in placed[n + 1 :]]
    return " ".join((*placed, *both)).replace(":", "~")


def _measured(name: str, root: Path, layers: str) -> BudgetTable:
    """Return a table whose short trainings are those without the teacher."""
    truth = find_truth(name, root)
    networks, _ = networks_of(layers)
    return BudgetTable(
        name,
        truth.space,
        truth.architectures,
        _scores(networks),
        np.array([network.params for network in networks]),
        np.array([network.macs for network in networks]),
        truth.accuracies("vanilla"),
        truth.accuracies("distilled"),
        0.1,
    )


def _scores(networks: Sequence[Network]) -> Vector:
    return np.array([FORMS[FORM](network) for network in networks])


TABLES: dict[str, Callable[[Path], BudgetTable]] = {
    "nas-bench-201": cells,
    "resnet-s0": lambda root: _measured("resnet-s0", root, "resnet-s0"),
    "autoformer": lambda root: _measured("autoformer", root, "autoformer-224"),
}

LIMITS = {
    "nas-bench-201": 500_000.0,
    "resnet-s0": 300_000.0,
    "autoformer": 7_000_000.0,
}
"""Maximum number of parameters in rows with a budget."""
