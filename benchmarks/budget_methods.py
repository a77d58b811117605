"""Methods that spend a budget of trainings and choose a network of a table."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from benchmarks.budget_tables import BudgetTable
from diswot.bench.ground_truths import Vector
from diswot.errors import OptionError
from diswot.search.few_shot import Ranker
from search_spaces import ChoiceSpace

AT_ONCE = 4
ETA = 3
"""Reduction factor η of successive halving and Hyperband."""


class Spending:
    """Simulated trainings: looks up results in a table until the budget is spent.

    Args:
        table: results of trainings.
        cost: the budget, in full trainings.
        rng: random generator of the method.
    """

    def __init__(self, table: BudgetTable, cost: float, rng: np.random.Generator) -> None:
        self.table, self.rng = table, rng
        self.cost, self.spent = cost, 0.0
        self.short: dict[int, float] = {}
        self.full: dict[int, float] = {}
        self._after: dict[tuple[int, bool], float] = {}
        self._untrained = int(rng.integers(len(table.full)))

    @property
    def left(self) -> float:
        """What is left of the budget, in full trainings."""
        return self.cost - self.spent + 1e-9

    def brief(self, place: int) -> bool:
        """Train a network for few epochs; return whether the budget allowed it."""
        return self._train(place, self.short, self.table.short, self.table.share)

    def whole(self, place: int) -> bool:
        """Train a network for all epochs; return whether the budget allowed it."""
        return self._train(place, self.full, self.table.full, 1.0)

    def _train(self, index: int, known: dict[int, float], results: Vector, cost: float) -> bool:
        if index not in known:
            if self.left < cost:
                return False
            self.spent += cost
            known[index] = float(results[index])
            self._after[index, known is self.full] = self.spent
        return True

    def best(self, cost: float | None = None) -> int:
        """Return the best of the full trainings, else of the short ones, else a random network.

        Args:
            cost: what had been spent; by default all of the budget.
        """
        limit = self.cost if cost is None else cost
        for whole, known in ((True, self.full), (False, self.short)):
            within = [item for item in known if self._after[item, whole] <= limit + 1e-9]
            if within:
                return max(within, key=lambda index: known[index])
        return self._untrained


class Briefs:
    """A sequence of short trainings, each chosen by a ranker from the earlier results.

    Larger budgets start with the choices of smaller ones, so choices are cached.

    Args:
        short: results of short trainings of all networks (N,).
        ranker: ranks the same networks.
    """

    def __init__(self, short: Vector, ranker: Ranker) -> None:
        self._short, self.ranker = short, ranker
        self._known: dict[int, float] = {}

    def first(self, count: int) -> dict[int, float]:
        """Return index of the network → result, for the first `count` trainings."""
        while len(self._known) < min(count, len(self.ranker)):
            for proposal in self.ranker.proposals(self._known, AT_ONCE):
                self._known[proposal] = float(self._short[proposal])
        return dict([*self._known.items()][:count])


def diswot(spending: Spending, briefs: Briefs) -> int:
    """Short trainings by expected improvement with the score as prior, then the best in full."""
    whole = int(2 * spending.left / 3) if spending.left >= 3 else 0
    known = briefs.first(int((spending.left - whole) / spending.table.share))
    for index in known:
        spending.brief(index)
    order = [int(index) for index in briefs.ranker.ranking(known)]
    for index in order[:whole]:
        spending.whole(index)
    return spending.best() if spending.full else order[0]


def score_top(spending: Spending, briefs: Briefs) -> int:
    """The best by score in full, as many as the budget allows; without any the first."""
    order = [int(index) for index in briefs.ranker.ranking({})]
    for index in order[: int(spending.left)]:
        spending.whole(index)
    return spending.best() if spending.full else order[0]


def random_full(spending: Spending, briefs: Briefs) -> int:
    """Train random networks for all epochs."""
    for index in spending.rng.permutation(len(briefs.ranker)):
        if not spending.whole(int(index)):
            break
    return spending.best()


def random_short(spending: Spending, briefs: Briefs) -> int:
    """Train random networks for few epochs."""
    for index in spending.rng.permutation(len(briefs.ranker)):
        if not spending.brief(int(index)):
            break
    return spending.best()


def regularized_evolution(spending: Spending, _briefs: Briefs) -> int:
    """Short trainings, a population of 10, tournaments of 3 (Real et al., AAAI 2019)."""
    table, rng, size = spending.table, spending.rng, len(spending.table.full)
    population: list[int] = []
    for _ in range(3 * size):
        if len(spending.short) == size:
            break
        if len(population) < 10:
            index = int(rng.integers(size))
        else:
            drawn = rng.choice(population, 3, replace=False)
            parent = max(drawn, key=lambda item: spending.short[int(item)])
            mutant = table.space.mutate(table.architectures[int(parent)], rng)
            index = table.nearest([str(gene) for gene in mutant], rng)
        if not spending.brief(index):
            break
        population = [*population[-9:], index]
    return spending.best()


def halving(spending: Spending, _briefs: Briefs) -> int:
    """Random networks briefly, the best third of them in full (ASHA's two rungs)."""
    _bracket(spending, spending.left)
    return spending.best()


def hyperband(spending: Spending, briefs: Briefs) -> int:
    """Half of the budget as halving does, half in full (Li et al., JMLR 2018, two brackets)."""
    _bracket(spending, spending.left / 2)
    return random_full(spending, briefs)


def _bracket(spending: Spending, cost: float) -> None:
    share = spending.table.share
    count = int(cost / (share + 1 / ETA)) if cost >= 1 else int(cost / share)
    drawn = [
        int(index) for index in spending.rng.permutation(len(spending.table.full))[: max(count, 1)]
    ]
    results = [index for index in drawn if spending.brief(index)]
    if cost < 1:
        return
    best = sorted(results, key=lambda index: -spending.short[index])
    for index in best[: max(1, len(best) // ETA)]:
        if not spending.whole(index):
            break


def tpe(spending: Spending, briefs: Briefs) -> int:
    """Short trainings that optuna's TPE proposes; what is not in the table by its nearest."""
    import optuna  # type: ignore[import-not-found]  # of this study alone

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, rng = spending.table, spending.rng
    if not isinstance(table.space, ChoiceSpace):
        raise OptionError(f"TPE needs the genes of a ChoiceSpace, but got {table.space!r}")
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    while spending.left >= table.share and len(spending.short) < len(briefs.ranker):
        trial = study.ask()
        genes = [
            str(trial.suggest_categorical(name, [str(option) for option in choice.options]))
            for name, choice in table.space.fields.items()
        ]
        index = table.nearest(genes, rng)
        spending.brief(index)
        study.tell(trial, spending.short[index])
        if len(study.trials) > 1.2 * len(briefs.ranker):
            break
    return spending.best()


METHODS: dict[str, Callable[[Spending, Briefs], int]] = {
    "diswot": diswot,
    "top of the score": score_top,
    "random, full": random_full,
    "random, short": random_short,
    "regularized evolution": regularized_evolution,
    "successive halving": halving,
    "hyperband": hyperband,
    "tpe": tpe,
}


ANYTIME = ("random, full", "random, short", "regularized evolution", "tpe")
"""Methods that do with a smaller budget what they do first with a larger one."""


def available(table: BudgetTable) -> dict[str, Callable[[Spending, Briefs], int]]:
    """Return the methods that can spend a budget on a table."""
    left_out = set()
    if find_spec("optuna") is None or not isinstance(table.space, ChoiceSpace):
        left_out.add("tpe")
    return {name: method for name, method in METHODS.items() if name not in left_out}
