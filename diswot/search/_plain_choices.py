"""What one would take without a search."""

import itertools
from collections.abc import Iterable

import numpy as np

from diswot.search._trials import ATTEMPTS, ENUMERABLE, Trials
from search_spaces import Architecture

SAMPLE = 200
"""Architectures in budget that are looked at where a space is too large to go through."""


def plain_choices(trials: Trials, rng: np.random.Generator) -> dict[str, Architecture]:
    """Return the largest, the smallest and a random architecture in budget, by parameters.

    Spaces of up to 2,000 architectures are gone through; of larger ones, 200 in budget
    are drawn.

    Raises:
        BudgetError: nothing is in budget.
    """
    costs = {arch: trials.costs(arch) for arch in _some(trials, rng) if trials.affordable(arch)}
    sizes = {arch: (each.params, each.macs) for arch, each in costs.items() if each is not None}
    by_size = sorted(sizes, key=lambda arch: sizes[arch])
    if not by_size:
        raise trials.exhausted()
    return {
        "largest": by_size[-1],
        "smallest": by_size[0],
        "random": by_size[rng.integers(len(by_size))],
    }


def _some(trials: Trials, rng: np.random.Generator) -> Iterable[Architecture]:
    space = trials.space
    if space.size is not None and space.size <= ENUMERABLE:
        return list(space)
    drawn = (space.sample(rng) for _ in range(ATTEMPTS))
    affordable = (arch for arch in drawn if trials.affordable(arch))
    return list(itertools.islice(affordable, SAMPLE))
