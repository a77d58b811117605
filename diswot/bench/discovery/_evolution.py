"""Evolution of formulas that rank the networks of some ground truths."""

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from deap import algorithms, base, gp, tools

from diswot.bench.discovery._formula import PRIMITIVES, Formula
from diswot.bench.discovery._layer_table import LayerTable
from diswot.bench.rank_statistics import UndefinedStatisticError, kendall
from diswot.search.engines import deap_seed
from diswot.seeding import generator_for

HEIGHT = 6
"""Maximum height of a tree."""

PARSIMONY = 0.002
"""Reduction of the fitness per node, so that formulas stay short."""

CROSSOVER, MUTATION = 0.6, 0.3
"""Probabilities; other children are copies, which are replaced by new random formulas."""

TOURNAMENT = 4


@dataclass(frozen=True)
class EvolutionSettings:
    """Size of an evolution.

    Attributes:
        population: formulas in a generation.
        generations: generations after the first, which is random.
    """

    population: int = 100
    generations: int = 25


def fitness_of(formula: Formula, tables: Sequence[LayerTable]) -> float:
    """Return how well a formula ranks the networks of all tables.

    It is the mean of the smallest and the mean Kendall τ, minus a penalty on the number of
    nodes; −1 for a formula that is not finite or the same for all networks of a table.
    """
    taus = []
    for table in tables:
        if (tau := tau_of(formula, table)) is None:
            return -1.0
        taus.append(tau)
    return (min(taus) + float(np.mean(taus))) / 2 - PARSIMONY * len(formula)


def tau_of(formula: Formula, table: LayerTable) -> float | None:
    """Return Kendall's τ-b; `None` for a formula that is not finite, or constant on the table."""
    with np.errstate(all="ignore"):
        scores = table.scores(formula)
    try:
        return kendall(scores, table.accuracies)
    except UndefinedStatisticError:
        return None


def evolve(tables: Sequence[LayerTable], settings: EvolutionSettings, *, seed: int) -> Formula:
    """Evolve a formula by genetic programming, and return the best one.

    Source: Koza, "Genetic Programming", 1992, with DEAP's operators: one-point crossover,
    replacement of subtrees, tournaments, and a limit on the height of trees (Koza, 1989).

    Args:
        tables: networks with known accuracies.
        settings: size of the evolution.
        seed: seed of the random numbers; equal seeds give equal formulas.
    """
    toolbox = _toolbox()
    known: dict[str, float] = {}
    with deap_seed(generator_for(seed, "discover")):
        population = [toolbox.individual() for _ in range(settings.population)]
        best = _evaluated(population, tables, known)
        for _ in range(settings.generations):
            parents = tools.selTournament(population, settings.population, TOURNAMENT)
            children = algorithms.varAnd(parents, toolbox, CROSSOVER, MUTATION)
            # A child that is known adds nothing: a new random formula takes its place.
            fresh = [c if str(c) not in known else toolbox.individual() for c in children]
            fittest = _evaluated(fresh, tables, known)
            best = max(best, fittest, key=operator.attrgetter("fitness"))
            population = [*fresh, best]
    return best


def _toolbox() -> base.Toolbox:
    toolbox = base.Toolbox()
    toolbox.register("expression", gp.genHalfAndHalf, pset=PRIMITIVES, min_=1, max_=3)
    toolbox.register("individual", tools.initIterate, Formula, toolbox.expression)
    toolbox.register("mate", gp.cxOnePoint)
    toolbox.register("mutate", gp.mutUniform, expr=toolbox.expression, pset=PRIMITIVES)
    limited = gp.staticLimit(key=operator.attrgetter("height"), max_value=HEIGHT)
    toolbox.decorate("mate", limited)
    toolbox.decorate("mutate", limited)
    return toolbox


def _evaluated(
    formulas: Sequence[Formula], tables: Sequence[LayerTable], known: dict[str, float]
) -> Formula:
    """Set the fitness of formulas, and return the best one.

    Args:
        formulas: the formulas.
        tables: networks with known accuracies.
        known: fitness of earlier formulas by text, to which these are added.
    """
    for formula in formulas:
        text = str(formula)
        if text not in known:
            known[text] = fitness_of(formula, tables)
        formula.fitness.values = (known[text],)
    return max(formulas, key=operator.attrgetter("fitness"))
