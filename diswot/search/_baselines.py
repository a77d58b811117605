"""Baselines of a search: architectures that one would choose without searching.

They are scored before the engine's first proposal and can be selected like any candidate, but
they do not influence what the engine proposes.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain

import numpy as np

from diswot.errors import RunFolderError
from diswot.progress import Progress, tracked
from diswot.search._candidate import Candidate
from diswot.search._history import ATTEMPTS, ENUMERABLE, History
from diswot.search._journal import BASELINES
from search_spaces import Architecture

SAMPLE = 200
"""Number of architectures within the budget that are drawn if the space is too large to list."""


def choose_baselines(
    history: History, rng: np.random.Generator, progress: Progress, *, measured: bool = False
) -> dict[str, Architecture]:
    """Choose the largest, the smallest and a random architecture within the budget.

    Size is the number of parameters, then MACs. Spaces of up to 2,000 architectures are listed
    completely; from larger ones, 200 architectures within the budget are drawn.

    Args:
        history: gives the space, the budget and the costs of architectures.
        rng: draws the sample and the random baseline.
        progress: receives a step per architecture.
        measured: whether latencies are measured here, half a second for each. Then the sample is
            within the other limits, and latencies are measured only until one is within the budget.

    Returns:
        Architectures by the labels "largest", "smallest" and "random".

    Raises:
        BudgetError: no architecture is within the budget.
    """
    archs = iter(_some(history, rng, progress))
    while by_size := _by_size(history, archs, timed=not measured):
        some = by_size[rng.integers(len(by_size))]
        others = (by_size[i] for i in rng.permutation(len(by_size)))
        orders = reversed(by_size), by_size, chain([some], others)
        chosen = [next(filter(partial(_fits, history), order), None) for order in orders]
        if chosen[0] is not None:
            return dict(zip(BASELINES, chosen, strict=True))
    raise history.exhausted()


def _by_size(history: History, archs: Iterator[Architecture], *, timed: bool) -> list[Architecture]:
    """Return the next architectures within the budget, the smallest first."""
    sizes: dict[Architecture, tuple[int, int]] = {}
    for arch in archs:
        costs = history.costs(arch, timed=timed)
        if costs is not None and history.budget.allows(costs):
            sizes[arch] = costs.params, costs.macs
        if len(sizes) == SAMPLE and _is_large(history):
            break
    return sorted(sizes, key=lambda arch: sizes[arch])


def _fits(history: History, arch: Architecture) -> bool:
    costs = history.costs(arch)
    return costs is not None and history.budget.allows(costs)


def numbered(choices: Mapping[str, Architecture]) -> dict[int, Architecture]:
    """Number the distinct baselines −1, −2, … for the journal (the engine's start at 0).

    Examples:
        >>> numbered({"largest": "7-7-7", "smallest": "1-1-1", "random": "1-1-1"})
        {-1: '7-7-7', -2: '1-1-1'}
    """
    return {-number: arch for number, arch in enumerate(dict.fromkeys(choices.values()), start=1)}


def check_known(known: Mapping[int, Candidate], expected: Mapping[int, Architecture]) -> None:
    """Make sure that a journal's baselines are those of its manifest.

    Args:
        known: candidates of the journal, by number.
        expected: baselines of the manifest, by number.

    Raises:
        RunFolderError: one of them differs.
    """
    for number, candidate in known.items():
        if number < 0 and candidate.architecture != expected.get(number):
            raise RunFolderError(
                f"the journal's candidate {number}, {candidate.name}, is not the baseline in the "
                f"manifest: the journal belongs to another run"
            )


def _some(history: History, rng: np.random.Generator, progress: Progress) -> Iterator[Architecture]:
    space = history.space
    if not _is_large(history):
        everything = list(space)
        return tracked(everything, progress, "sizes", len(everything))
    drawn = (space.sample(rng) for _ in range(ATTEMPTS))
    return tracked(drawn, progress, "sizes, at most", ATTEMPTS)


def _is_large(history: History) -> bool:
    return history.space.size is None or history.space.size > ENUMERABLE
