"""What one would take without a search."""

from collections.abc import Iterator

import numpy as np

from diswot.progress import Progress, tracked
from diswot.search._trials import ATTEMPTS, ENUMERABLE, Trials
from search_spaces import Architecture

SAMPLE = 200
"""Architectures in budget that are looked at where a space is too large to go through."""


def plain_choices(
    trials: Trials, rng: np.random.Generator, progress: Progress
) -> dict[str, Architecture]:
    """Return the largest, the smallest and a random architecture in budget, by parameters.

    Spaces of up to 2,000 architectures are gone through; of larger ones, 200 in budget
    are drawn.

    Raises:
        BudgetError: nothing is in budget.
    """
    sizes: dict[Architecture, tuple[int, int]] = {}
    for arch in _some(trials, rng, progress):
        costs = trials.costs(arch)
        if costs is not None and trials.affordable(arch):
            sizes[arch] = costs.params, costs.macs
        if len(sizes) == SAMPLE and _is_large(trials):
            break
    if not sizes:
        raise trials.exhausted()
    by_size = sorted(sizes, key=lambda arch: sizes[arch])
    return {
        "largest": by_size[-1],
        "smallest": by_size[0],
        "random": by_size[rng.integers(len(by_size))],
    }


def _some(trials: Trials, rng: np.random.Generator, progress: Progress) -> Iterator[Architecture]:
    space = trials.space
    if not _is_large(trials):
        everything = list(space)
        return tracked(everything, progress, "sizes", len(everything))
    drawn = (space.sample(rng) for _ in range(ATTEMPTS))
    return tracked(drawn, progress, "sizes, at most", ATTEMPTS)


def _is_large(trials: Trials) -> bool:
    return trials.space.size is None or trials.space.size > ENUMERABLE
