"""Every engine against its definition, on integers with known scores."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from deap import base, tools
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import diswot
from diswot.errors import OptionError, UnknownNameError
from diswot.scorers import Formula
from diswot.search import ENGINES, Budget, Candidate, Costs, knee, pareto_front, shortlist
from diswot.search._history import History
from diswot.search._settings import SearchSettings
from diswot.search.engines import Engine, EngineSettings
from diswot.seeding import generator_for
from search_spaces import Architecture, Choice, ChoiceSpace, SearchSpace

SUM = Formula("sum", ("known",))
NO_LIMIT = Budget()


class Line(SearchSpace):
    """A space of the integers below `size`, which records the parents of its children."""

    def __init__(self, size: int = 10**9) -> None:
        self._size = size
        self.parents: list[int] = []

    @property
    def size(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._size))

    def sample(self, rng: np.random.Generator) -> int:
        return int(rng.integers(self._size))

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> int:
        self.parents.append(arch)
        return int(rng.integers(arch + 1) if rng.random() < 0.5 else rng.integers(self._size))

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> int:
        self.parents += [a, b]
        return int(a)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        raise AssertionError("nothing is to be built here")

    def to_string(self, arch: Architecture) -> str:
        return str(arch)

    def from_string(self, text: str) -> int:
        return int(text)


@dataclass(frozen=True)
class Known:
    """Costs of integers: the number of parameters is the integer, multiply-adds the rest."""

    space: Line
    known_costs: dict[int, Costs] = field(default_factory=dict)

    def costs(self, arch: int) -> Costs:
        return self.known_costs.setdefault(arch, Costs(arch + 1, self.space.size - arch))

    timed = costs


def sound(arch: int) -> float:
    """Return a score that is independent of the costs."""
    return float(generator_for("score", arch).random())


def hashed(arch: int) -> float:
    """Return the same score, but every seventh number fails."""
    return float("nan") if arch % 7 == 3 else sound(arch)


class World:
    """An engine on integers, with the candidates that it has proposed.

    Args:
        eager: whether results are reported as early as possible, or as late.
    """

    def __init__(
        self,
        name: str,
        *,
        size: int = 10**9,
        score: Callable[[int], float] = hashed,
        budget: Budget = NO_LIMIT,
        eager: bool = False,
        **numbers: Any,
    ) -> None:
        self.space = Line(size)
        self.score = score
        self.budget = budget
        self.settings = SearchSettings.chosen(budget, engine=name, **numbers).engine
        evaluator: Any = Known(self.space)
        self.history = History(evaluator, budget, SUM, reference=self.settings.population)
        self.engine: Engine = ENGINES[name](self.history, self.settings)
        self.done: list[Candidate] = []
        self._eager = eager

    def propose(self, number: int, seed: object = 0) -> tuple[int | None, set[int]]:
        """Return a proposal and its possible parents."""
        self._add(number if self._eager else self.engine.needs(number))
        self.space.parents.clear()
        arch = self.engine.propose(number, generator_for(seed, number))
        return arch, set(self.space.parents)

    def explore(self) -> list[int]:
        """Evaluate and return all proposals."""
        for number in range(self.engine.total):
            arch, _ = self.propose(number)
            if arch is None:
                break
            self.done.append(self.candidate(arch))
        self._add(len(self.done))
        return [candidate.architecture for candidate in self.done]

    def candidate(self, arch: int) -> Candidate:
        """Return the candidate of a number, without a score if it is over budget or fails."""
        costs, score = Costs(arch + 1, self.space.size - arch), self.score(arch)
        candidate = Candidate(arch, str(arch), str(arch), costs)
        if violation := self.budget.violation(costs):
            return replace(candidate, violation=violation)
        if np.isnan(score):
            return replace(candidate, failure="it fails")
        return replace(candidate, terms={"known": (score,)}, score=score)

    def _add(self, count: int) -> None:
        for candidate in self.done[len(self.history.candidates) : count]:
            self.history.add(candidate)


def merit(candidate: Candidate) -> float:
    return -np.inf if candidate.score is None else candidate.score


@pytest.mark.slow
@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("size", [40, 20_000])
def test_proposals_do_not_depend_on_when_results_arrive(name: str, size: int) -> None:
    budget = Budget(params=size // (2 if size == 40 else 10))
    first, second = (
        World(name, size=size, budget=budget, population=6, generations=4, eager=eager).explore()
        for eager in (True, False)
    )
    assert first == second
    assert len(set(first)) == len(first)
    if name != "nsga2":
        assert max(first) < (budget.params or 0)
        assert len(first) == (20 if size == 40 else 2_000 if name == "exhaustive" else 30)


@pytest.mark.parametrize("name", ["evolution", "regularized", "random", "nsga2"])
def test_the_first_generation_is_random(name: str) -> None:
    world = World(name, population=8, generations=0)
    assert len(world.explore()) == 8
    assert not world.space.parents
    assert World(name, population=8, generations=3).explore()[:8] == world.explore()[:8]


def test_evolution_breeds_from_the_best_of_earlier_generations() -> None:
    world = World("evolution", population=10, generations=6)
    world.explore()
    for number in range(10, world.engine.total):
        before = sorted(world.done[: number - number % 10], key=merit, reverse=True)
        best = {candidate.architecture for candidate in before[:10] if candidate.terms}
        again = World("evolution", population=10, generations=6)
        again.done = world.done[:number]
        _, parents = again.propose(number)
        assert parents
        assert parents <= best


def test_evolution_selects_the_best_parent_most_often() -> None:
    world = World("evolution", population=10, generations=1)
    world.explore()
    chosen: list[int] = []
    for seed in range(100):
        world.propose(10, seed)
        chosen += world.space.parents
    best = max(world.done[:10], key=merit).architecture
    assert max(set(chosen), key=chosen.count) == best
    assert set(chosen) <= {c.architecture for c in world.done[:10] if c.terms}


def test_regularized_evolution_mutates_recent_candidates() -> None:
    population = 12
    world = World("regularized", population=population, generations=6)
    world.explore()
    for number in range(population, world.engine.total):
        again = World("regularized", population=population, generations=6)
        again.done = world.done[:number]
        known = again.engine.needs(number)
        assert known == number - population // 2
        living = [c for c in world.done[max(0, known - population) : known] if c.terms]
        worst = sorted(living, key=merit)[: min(len(living), population // 4) - 1]
        _, parents = again.propose(number)
        assert parents
        assert parents <= {c.architecture for c in living} - {c.architecture for c in worst}


def test_regularized_evolution_drops_even_the_best_with_age() -> None:
    first = World("regularized", score=sound, population=8, generations=0).explore()[0]

    def only_the_first(arch: int) -> float:
        return float(arch == first)

    world = World("regularized", score=only_the_first, population=8, generations=3)
    world.explore()
    assert world.done[0].architecture == first
    seen = set().union(*(world.propose(31, seed)[1] for seed in range(30)))
    assert seen
    assert first not in seen


class Fitness(base.Fitness):  # type: ignore[misc]
    weights = (1.0, -1.0)


@dataclass
class Member:
    arch: int
    fitness: Any


def survivors(candidates: Sequence[Candidate], population: int) -> set[int]:
    """Return the survivors of all generations by DEAP's fronts; older members win ties."""
    alive: list[Member] = []
    for start in range(0, len(candidates), population):
        for candidate in candidates[start : start + population]:
            assert candidate.score is not None
            values = (candidate.score, candidate.params)
            alive.append(Member(candidate.architecture, Fitness(values)))
        chosen: list[Member] = []
        for front in tools.sortNondominated(alive, population):
            front.sort(key=alive.index)
            tools.emo.assignCrowdingDist(front)
            if len(chosen) + len(front) > population:
                front.sort(key=lambda member: member.fitness.crowding_dist, reverse=True)
            chosen += front[: population - len(chosen)]
        alive = chosen
    return {member.arch for member in alive}


def test_parents_in_nsga2_are_the_survivors_by_deap() -> None:
    world = World("nsga2", score=sound, population=8, generations=5)
    world.explore()
    for start in range(8, 48, 8):
        again = World("nsga2", score=sound, population=8, generations=5)
        again.done = world.done[:start]
        seen = set().union(*(again.propose(start, seed)[1] for seed in range(60)))
        expected = survivors(world.done[:start], 8)
        assert seen <= expected
        front = {c.architecture for c in pareto_front(world.done[:start], ("score", "params"))}
        assert len(front & expected) == min(8, len(front))
        assert len(seen & front) >= len(front & expected) / 2


def test_over_budget_parents_are_those_with_the_least_violation() -> None:
    options: dict[str, Any] = {"budget": Budget(params=10**5), "score": sound, "population": 8}
    world = World("nsga2", generations=40, **options)
    assert len(world.explore()) == world.engine.total
    assert not any(candidate.within_budget for candidate in world.done[:16])
    assert sum(candidate.within_budget for candidate in world.done[-40:]) >= 4
    best = sorted(world.done[:16], key=lambda candidate: candidate.violation)[:8]
    again = World("nsga2", generations=40, **options)
    again.done = world.done[:16]
    seen = set().union(*(again.propose(16, seed)[1] for seed in range(40)))
    assert seen <= {candidate.architecture for candidate in best}


def test_candidates_in_budget_survive_those_over_budget() -> None:
    half = Budget(params=5 * 10**8)
    world = World("nsga2", budget=half, population=8, generations=8)
    world.explore()
    good = {c.architecture for c in world.done[:64] if c.score is not None}
    assert len(good) >= 8
    again = World("nsga2", budget=half, population=8, generations=8)
    again.done = world.done[:64]
    seen = set().union(*(again.propose(64, seed)[1] for seed in range(40)))
    assert seen
    assert seen <= good


def test_exhaustive_search_proposes_all_in_order() -> None:
    world = World("exhaustive", size=50, population=3, generations=0)
    assert world.explore() == list(range(50))
    world = World("exhaustive", size=50, budget=Budget(params=20, macs=45))
    assert world.explore() == list(range(5, 20))


def test_random_search_covers_a_small_space() -> None:
    world = World("random", size=50, population=10, generations=9)
    assert sorted(world.explore()) == list(range(50))


class Endless(Line):
    """A space without a known size."""

    @property
    def size(self) -> Any:
        return None


@pytest.mark.parametrize("size", [None, 10**6 + 1])
def test_exhaustive_search_of_an_infinite_space_is_refused(size: int | None) -> None:
    space = Endless() if size is None else Line(size)
    evaluator: Any = Known(space)
    history = History(evaluator, Budget(), SUM, reference=1)
    with pytest.raises(OptionError, match="infinitely many" if size is None else "1,000,001"):
        ENGINES["exhaustive"](history, EngineSettings("exhaustive"))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"population": 0}, "population to be a whole number from 1 to 1,000,000, but got 0"),
        ({"population": 2.5}, "population"),
        ({"generations": -1}, "generations to be a whole number from 0 to 1,000,000"),
        ({"objectives": ("score", "score")}, "each once, but got score,score"),
        ({"objectives": ("score", "watts")}, "among score, params, macs"),
        ({"objectives": ()}, "Expected score among the objectives"),
        ({"engine": "nsga2", "objectives": ("params", "macs")}, "Expected score among"),
        ({"engine": "nsga2", "objectives": ("score",)}, "addition to the score, one or more"),
        ({"engine": "nsga2", "population": 3}, "a population of at least 4"),
        ({"objectives": ("score", "params")}, "choose --engine nsga2"),
        ({"latency_column": "a", "objectives": ("score", "latency_ms"), "engine": "nsga2"}, "need"),
        ({"latency_column": "pixel3"}, "give one with --latency"),
    ],
)
def test_invalid_settings_are_refused(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        SearchSettings.chosen(None, **chosen)


def test_an_unknown_engine_suggests_the_closest_match() -> None:
    with pytest.raises(UnknownNameError, match="'nsga2'"):
        SearchSettings.chosen(None, engine="nsga3")


FEW = st.integers(0, 4)
CANDIDATES = st.lists(
    st.builds(
        lambda score, params, macs, memory, over: Candidate(
            None, "", "", Costs(params, macs, memory=memory), score=score, violation=over
        ),
        st.none() | FEW.map(float),
        FEW,
        FEW,
        FEW,
        st.sampled_from([0.0, 0.0, 0.5]),
    ),
    max_size=12,
).map(lambda some: [replace(c, name=str(i), key=str(i)) for i, c in enumerate(some)])
OBJECTIVES = st.sampled_from(["params", "macs", "memory"]).flatmap(
    lambda first: st.sampled_from([("score", first), ("score", "macs", "memory"), ("score",)])
)


def values(candidate: Candidate, objectives: Sequence[str]) -> list[float]:
    """Return a candidate's objectives, all to be minimized."""
    assert candidate.score is not None
    costs = vars(candidate.costs)
    return [-candidate.score if name == "score" else costs[name] for name in objectives]


def dominates(a: Candidate, b: Candidate, objectives: Sequence[str]) -> bool:
    pairs = list(zip(values(a, objectives), values(b, objectives), strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


@given(candidates=CANDIDATES, objectives=OBJECTIVES)
def test_the_front_has_the_candidates_that_are_not_dominated(
    candidates: list[Candidate], objectives: tuple[str, ...]
) -> None:
    eligible = [c for c in candidates if c.score is not None and c.within_budget]
    expected = [c for c in eligible if not any(dominates(o, c, objectives) for o in eligible)]
    front = pareto_front(candidates, objectives)
    assert sorted(c.name for c in front) == sorted(c.name for c in expected)
    assert [merit(c) for c in front] == sorted((merit(c) for c in expected), reverse=True)


@given(candidates=CANDIDATES, objectives=OBJECTIVES)
def test_the_knee_is_farthest_below_the_plane_of_the_extremes(
    candidates: list[Candidate], objectives: tuple[str, ...]
) -> None:
    front = pareto_front(candidates, objectives)
    if not front:
        with pytest.raises(ValueError, match="at least one candidate"):
            knee(front, objectives)
        return
    rows = [values(candidate, objectives) for candidate in front]
    low, high = ([f(column) for column in zip(*rows, strict=True)] for f in (min, max))

    def height(row: list[float]) -> float:
        scaled = [
            (x - a) / (b - a) if b > a else 0.0 for x, a, b in zip(row, low, high, strict=True)
        ]
        return sum(scaled)

    found = knee(front, objectives)
    assert found in front
    assert height(values(found, objectives)) == pytest.approx(min(map(height, rows)))


@given(candidates=CANDIDATES, count=st.integers(1, 6))
def test_a_short_shortlist_has_the_top_scoring_candidates(
    candidates: list[Candidate], count: int
) -> None:
    eligible = sorted(
        (c for c in candidates if c.score is not None and c.within_budget),
        key=Candidate.merit,
        reverse=True,
    )
    pool = eligible[:count]  # a tenth of twelve is less
    chosen = shortlist(candidates, count)
    assert sorted(c.name for c in chosen) == sorted(c.name for c in pool)
    assert chosen[:1] == pool[:1]


@pytest.mark.parametrize("seed", range(5))
def test_a_shortlist_of_many_is_the_farthest_first_traversal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    candidates = [
        Candidate(None, str(i), str(i), Costs(*map(int, rng.integers(1, 10**6, 2))), score=score)
        for i, score in enumerate(rng.normal(size=100))
    ]
    pool = sorted(candidates, key=Candidate.merit, reverse=True)[:10]
    raw = np.array([[merit(c), np.log1p(c.params), np.log1p(c.macs)] for c in pool])
    points = (raw - raw.min(0)) / (raw.max(0) - raw.min(0))
    places = [0]
    while len(places) < 4:
        near = [min(np.linalg.norm(p - points[q]) for q in places) for p in points]
        places.append(int(np.argmax(near)))
    assert shortlist(candidates, 4) == [pool[place] for place in places]


class Wide(ChoiceSpace):
    """A million networks, almost none of which is small."""

    first = Choice(*range(1, 101))
    second = Choice(*range(1, 101))
    third = Choice(*range(1, 101))

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        widths = (1, arch.first, arch.second, arch.third)
        layers = [nn.Conv2d(a, b, 3) for a, b in pairwise(widths)]
        pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*layers, *pool, nn.Linear(arch.third, num_classes))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["evolution", "regularized", "random"])
def test_a_search_continues_if_few_draws_are_in_budget(engine: str) -> None:
    options: dict[str, Any] = {"repeats": 1, "batch_size": 8, "population": 4, "generations": 2}
    budget = diswot.Budget(params=1_500)
    run = diswot.search("resnet20", Wide(), engine=engine, budget=budget, **options)
    proposed = [c for c in run.candidates if c not in run.baselines.values()]
    assert len(proposed) == 12
    assert all(candidate.params <= 1_500 for candidate in run.candidates)


@pytest.mark.slow
def test_an_engine_can_be_given_by_its_former_name() -> None:
    few: dict[str, Any] = {"scorer": "params", "population": 4, "generations": 2, "seed": 3}
    now, former = (
        diswot.search("resnet20", "s0", engine=name, **few)
        for name in ("regularized", "regularised")
    )
    assert former.manifest["engine"] == now.manifest["engine"]
    assert [c.name for c in former.candidates] == [c.name for c in now.candidates]
