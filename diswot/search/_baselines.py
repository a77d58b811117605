"""The baselines of a search: what one would take without it.

They are scored before the engine's first proposal, take part in everything that is selected
afterwards, and change nothing of what the engine proposes.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from diswot.errors import RunFolderError
from diswot.progress import Progress, tracked
from diswot.search._candidate import Candidate
from diswot.search._history import ATTEMPTS, ENUMERABLE, History
from diswot.search._journal import BASELINES
from search_spaces import Architecture

SAMPLE = 200
"""Architectures in budget that are looked at where a space is too large to go through."""


def choose_baselines(
    history: History, rng: np.random.Generator, progress: Progress
) -> dict[str, Architecture]:
    """Return the largest, the smallest and a random architecture in budget, by parameters.

    Spaces of up to 2,000 architectures are gone through; of larger ones, 200 in budget
    are drawn.

    Raises:
        BudgetError: nothing is in budget.
    """
    sizes: dict[Architecture, tuple[int, int]] = {}
    for arch in _some(history, rng, progress):
        costs = history.costs(arch)
        if costs is not None and history.affordable(arch):
            sizes[arch] = costs.params, costs.macs
        if len(sizes) == SAMPLE and _is_large(history):
            break
    if not sizes:
        raise history.exhausted()
    by_size = sorted(sizes, key=lambda arch: sizes[arch])
    chosen = by_size[-1], by_size[0], by_size[rng.integers(len(by_size))]
    return dict(zip(BASELINES, chosen, strict=True))


def numbered(choices: Mapping[str, Architecture]) -> dict[int, Architecture]:
    """Return distinct baselines by their numbers in a journal: −1, −2, …; the engine counts from 0.

    Examples:
        >>> numbered({"largest": "7-7-7", "smallest": "1-1-1", "random": "1-1-1"})
        {-1: '7-7-7', -2: '1-1-1'}
    """
    return {-number: arch for number, arch in enumerate(dict.fromkeys(choices.values()), start=1)}


def check_known(known: Mapping[int, Candidate], expected: Mapping[int, Architecture]) -> None:
    """Make sure that a journal's baselines are those of its manifest.

    Raises:
        RunFolderError: they are not.
    """
    for number, candidate in known.items():
        if number < 0 and candidate.architecture != expected.get(number):
            raise RunFolderError(
                f"the journal's candidate {number}, {candidate.name}, is not that baseline of the "
                "manifest: the journal is of another run"
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
