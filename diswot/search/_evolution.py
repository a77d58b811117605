"""The evolutionary engine, on DEAP: tournament, crossover, mutation, elitism."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from deap import algorithms, base, tools

from diswot.search._candidate import Candidate
from diswot.search._trials import Trials
from search_spaces import Architecture

TOURNAMENT = 5
CROSSOVER = 0.5
MUTATION = 0.8
CHILD_ATTEMPTS = 100


class _Fitness(base.Fitness):  # type: ignore[misc]
    weights = (1.0,)


@dataclass
class _Individual:
    """What DEAP varies and compares."""

    arch: Architecture
    candidate: Candidate | None = None

    def __post_init__(self) -> None:
        self.fitness = _Fitness()


def evolution(
    trials: Trials, rng: np.random.Generator, *, population: int, generations: int
) -> None:
    """Run a (μ+λ) evolution with μ = λ = `population`.

    Parents win tournaments of five; children are crossed over with probability 0.5
    and mutated with 0.8 (DEAP's `varAnd`), and redrawn until they are new and in
    budget. The best of parents and children survive, so the best is never lost.
    Stops early when nothing new is left in budget.
    """
    toolbox = _toolbox(trials, rng)
    members = _individuals(trials, [trials.draw_any(rng) for _ in range(population)])
    if not members:
        raise trials.exhausted()
    for _ in range(generations):
        children = [_child(trials, toolbox, members, rng) for _ in range(population)]
        newborn = _individuals(trials, children)
        if not newborn:
            return
        members = tools.selBest(_rated(trials, members + newborn), population)


def _individuals(trials: Trials, archs: list[Architecture | None]) -> list[_Individual]:
    candidates = trials.evaluate(arch for arch in archs if arch is not None)
    return _rated(trials, [_Individual(c.architecture, c) for c in candidates])


def _rated(trials: Trials, members: list[_Individual]) -> list[_Individual]:
    fitness = trials.fitness(m.candidate for m in members if m.candidate is not None)
    for member, value in zip(members, fitness, strict=True):
        member.fitness.values = (value,)
    return members


def _toolbox(trials: Trials, rng: np.random.Generator) -> Any:
    def mate(a: _Individual, b: _Individual) -> tuple[_Individual, _Individual]:
        first, second = a.arch, b.arch
        a.arch = trials.space.crossover(first, second, rng)
        b.arch = trials.space.crossover(second, first, rng)
        return a, b

    def mutate(individual: _Individual) -> tuple[_Individual]:
        individual.arch = trials.space.mutate(individual.arch, rng)
        return (individual,)

    toolbox = base.Toolbox()
    toolbox.register("clone", lambda individual: _Individual(individual.arch))
    toolbox.register("mate", mate)
    toolbox.register("mutate", mutate)
    toolbox.register("select", tools.selTournament, k=2, tournsize=TOURNAMENT)
    return toolbox


def _child(
    trials: Trials, toolbox: Any, members: list[_Individual], rng: np.random.Generator
) -> Architecture | None:
    def propose() -> Architecture:
        with _deap_seed(rng):
            parents = toolbox.select(members)
            return algorithms.varAnd(parents, toolbox, CROSSOVER, MUTATION)[0].arch

    child = trials.draw(propose, attempts=CHILD_ATTEMPTS)
    return child if child is not None else trials.draw_any(rng)


@contextmanager
def _deap_seed(rng: np.random.Generator) -> Iterator[None]:
    """Fence DEAP's use of the global `random`: seeded inside, restored after."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
