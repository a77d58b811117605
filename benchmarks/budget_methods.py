"""Methods that spend a budget of trainings and choose a network of a table."""

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from benchmarks.budget_tables import BudgetTable, genes_of
from diswot.bench.ground_truths import Vector
from diswot.search.few_shot import AT_ONCE, Ranker

FEWEST_FULL = 3
"""Full trainings in a budget of which at least half goes to full ones."""

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

    def _train(self, place: int, known: dict[int, float], results: Vector, cost: float) -> bool:
        if place not in known:
            if self.left < cost:
                return False
            self.spent += cost
            known[place] = float(results[place])
            self._after[place, known is self.full] = self.spent
        return True

    def best(self, cost: float | None = None) -> int:
        """Return the best of the full trainings, else of the short ones, else a random network.

        Args:
            cost: what had been spent; by default all of the budget.
        """
        limit = self.cost if cost is None else cost
        for whole, known in ((True, self.full), (False, self.short)):
            within = [each for each in known if self._after[each, whole] <= limit + 1e-9]
            if within:
                return max(within, key=lambda place: known[place])
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
    """Short trainings while they are worth it, at most half of the budget, then full ones.

    Below three full trainings all of it may go to short ones.
    """
    share, whole = spending.table.share, spending.cost >= FEWEST_FULL
    most = spending.left / 2 if whole else spending.left
    count, known = 0, dict[int, float]()

    def full(more: int) -> int:
        return int(spending.left - (count + more) * share)

    while count + AT_ONCE <= min(int(most / share), len(briefs.ranker)):
        if not briefs.ranker.worthwhile(known, int(most / share) - count, full):
            break
        count += AT_ONCE
        known = briefs.first(count)
    order = [int(place) for place in briefs.ranker.ranking(known)]
    trained = full(0)
    for place in known:
        spending.brief(place)
    for place in order[:trained]:
        spending.whole(place)
    return spending.best() if spending.full else order[0]


def score_top(spending: Spending, briefs: Briefs) -> int:
    """The best by score in full, as many as the budget allows; without any the first."""
    order = [int(place) for place in briefs.ranker.ranking({})]
    for place in order[: int(spending.left)]:
        spending.whole(place)
    return spending.best() if spending.full else order[0]


def random_full(spending: Spending, briefs: Briefs) -> int:
    """Train random networks for all epochs."""
    for place in spending.rng.permutation(len(briefs.ranker)):
        if not spending.whole(int(place)):
            break
    return spending.best()


def random_short(spending: Spending, briefs: Briefs) -> int:
    """Train random networks for few epochs."""
    for place in spending.rng.permutation(len(briefs.ranker)):
        if not spending.brief(int(place)):
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
            place = int(rng.integers(size))
        else:
            drawn = rng.choice(population, 3, replace=False)
            parent = max(drawn, key=lambda each: spending.short[int(each)])
            mutant = table.space.mutate(table.architectures[int(parent)], rng)
            place = table.nearest(genes_of(mutant), rng)
        if not spending.brief(place):
            break
        population = [*population[-9:], place]
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
        int(place) for place in spending.rng.permutation(len(spending.table.full))[: max(count, 1)]
    ]
    found = [place for place in drawn if spending.brief(place)]
    if cost < 1:
        return
    best = sorted(found, key=lambda place: -spending.short[place])
    for place in best[: max(1, len(best) // ETA)]:
        if not spending.whole(place):
            break


def tpe(spending: Spending, briefs: Briefs) -> int:
    """Short trainings that optuna's TPE proposes; what is not in the table by its nearest."""
    import optuna  # type: ignore[import-not-found]  # of this study alone

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, rng = spending.table, spending.rng
    options = [np.unique(column).tolist() for column in table.genes.T]
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    while spending.left >= table.share and len(spending.short) < len(briefs.ranker):
        trial = study.ask()
        genes = [trial.suggest_categorical(str(n), each) for n, each in enumerate(options)]
        place = table.nearest(genes, rng)
        spending.brief(place)
        study.tell(trial, spending.short[place])
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


def available() -> dict[str, Callable[[Spending, Briefs], int]]:
    """Return the methods whose packages are installed."""
    left_out = {"tpe"} if find_spec("optuna") is None else set()
    return {name: method for name, method in METHODS.items() if name not in left_out}
