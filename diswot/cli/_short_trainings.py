"""The output of short trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diswot.cli._tables import counted, optional, print_table

if TYPE_CHECKING:
    from diswot.search import SearchResult


def print_trainings(result: SearchResult) -> None:
    """Print a table of the short trainings, in the resulting order; nothing without any."""
    if not result.trainings:
        return
    ranks = {candidate.name: n for n, candidate in enumerate(result.promising, start=1)}
    scores = {candidate.name: n for n, candidate in enumerate(result.ranking, start=1)}
    rows = [
        [
            str(ranks[item.architecture]),
            item.architecture,
            str(scores[item.architecture]),
            optional(item.value) if item.failure is None else f"failed: {item.failure}",
        ]
        for item in sorted(result.trainings, key=lambda item: ranks[item.architecture])
    ]
    failed = sum(item.failure is not None for item in result.trainings)
    print_table(
        f"Short trainings of {counted(result.trainings[0].epochs, 'epoch')}",
        ["place", "architecture", "by score", "validation"],
        rows,
        caption=(
            f"Rank among all {len(ranks)} scored candidates, by score and short trainings; "
            f"{counted(failed, 'training')} failed."
        ),
    )
