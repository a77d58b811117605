"""The output of short trainings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diswot.cli._tables import optional, print_table

if TYPE_CHECKING:
    from diswot.search import SearchResult


def print_trainings(result: SearchResult) -> None:
    """Print a table of the short trainings, in the resulting order; nothing without any."""
    if not result.trainings:
        return
    places = {candidate.name: n for n, candidate in enumerate(result.promising, start=1)}
    scores = {candidate.name: n for n, candidate in enumerate(result.ranking, start=1)}
    rows = [
        [
            str(places[each.architecture]),
            each.architecture,
            str(scores[each.architecture]),
            optional(each.value) if each.failure is None else f"failed: {each.failure}",
        ]
        for each in sorted(result.trainings, key=lambda each: places[each.architecture])
    ]
    failed = sum(each.failure is not None for each in result.trainings)
    print_table(
        f"Short trainings of {result.trainings[0].epochs} epochs",
        ["place", "architecture", "by score", "validation"],
        rows,
        caption=(
            f"Rank among all {len(places)} scored candidates, by score and short trainings; "
            f"{failed} trainings failed."
        ),
    )
