"""Children of architectures, by DEAP's variation."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from deap import algorithms, base

from search_spaces import Architecture, SearchSpace

CROSSOVER = 0.5
MUTATION = 0.8


@dataclass
class Individual:
    """What DEAP selects and varies."""

    arch: Architecture
    fitness: base.Fitness


def child_of(
    space: SearchSpace, parents: Sequence[Individual], rng: np.random.Generator
) -> Architecture:
    """Return a child: crossed over with probability 0.5, then mutated with 0.8 (`varAnd`).

    To be called inside `deap_seed`.
    """

    def clone(parent: Individual) -> Individual:
        return Individual(parent.arch, type(parent.fitness)())

    def mate(a: Individual, b: Individual) -> tuple[Individual, Individual]:
        first, second = a.arch, b.arch
        a.arch = space.crossover(first, second, rng)
        b.arch = space.crossover(second, first, rng)
        return a, b

    def mutate(individual: Individual) -> tuple[Individual]:
        individual.arch = space.mutate(individual.arch, rng)
        return (individual,)

    # `varAnd` of two parents gives two children, of which the first is used.
    toolbox: Any = base.Toolbox()
    for operation in (clone, mate, mutate):
        toolbox.register(operation.__name__, operation)
    children: list[Individual] = algorithms.varAnd(parents, toolbox, CROSSOVER, MUTATION)
    return children[0].arch


@contextmanager
def deap_seed(rng: np.random.Generator) -> Iterator[None]:
    """Fence DEAP's use of the global `random`: seeded inside, restored after."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
