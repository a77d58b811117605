"""Crossover and mutation of architectures with DEAP."""

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
    """An architecture with its fitness, as DEAP expects it.

    Attributes:
        arch: the architecture.
        fitness: DEAP's fitness, by which individuals are selected.
    """

    arch: Architecture
    fitness: base.Fitness


def child_of(
    space: SearchSpace, parents: Sequence[Individual], rng: np.random.Generator
) -> Architecture:
    """Return a child: crossover with probability 0.5, then mutation with probability 0.8.

    Must be called inside `deap_seed`, because DEAP's `varAnd` uses the global `random`.

    Args:
        space: crosses over and mutates architectures.
        parents: two individuals.
        rng: random generator passed to the space.
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
    """Seed the global `random`, which DEAP uses, inside the block; restore it afterwards."""
    state = random.getstate()
    random.seed(int(rng.integers(2**63)))
    try:
        yield
    finally:
        random.setstate(state)
