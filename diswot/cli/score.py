"""`diswot score`: score given architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from diswot.cli import _options as shared
from diswot.cli._command import Command
from diswot.cli._progress import displayed_progress
from diswot.cli._search_options import SCORER, scoring_options
from diswot.cli._tables import candidate_row, print_json, print_table
from diswot.cli._terminal import say

if TYPE_CHECKING:
    from diswot.search import Candidate


@click.command(cls=Command, takes_config=True)
@click.argument("architectures", nargs=-1, required=True, metavar="ARCHITECTURE...")
@shared.subject_options
@SCORER
@scoring_options
@shared.SEED
@shared.DEVICE
@shared.JSON
def score(architectures: tuple[str, ...], as_json: bool, **chosen: Any) -> None:
    """Score given architectures of a space for a teacher.

    Example: diswot score 3-3-3 7-1-1 --teacher resnet110 --scorer semantic_grad --repeats 10
    """
    from diswot.search import score as score_architectures

    with displayed_progress() as progress:
        candidates = score_architectures(architectures, progress=progress, **chosen)
    if as_json:
        print_json({"candidates": [candidate.to_json() for candidate in candidates]})
        return
    result = next((c.terms for c in candidates if c.terms), {})
    terms, repeats = list(result), max(map(len, result.values()), default=0)
    print_table(
        "Scores, higher is better",
        ["architecture", "params", "MACs", "score", *(f"{term} ± sd" for term in terms)],
        [[*candidate_row("", c)[1:], *_spreads(c, terms)] for c in candidates],
        caption=(
            f"Score: {chosen['scorer']}, mean of {repeats} initializations and batches, "
            f"seed {chosen['seed']}; "
            "± is the standard deviation between them."
        ),
    )
    for candidate in candidates:
        if candidate.failure is not None:
            say(f"{candidate.name} failed: {candidate.failure}")
    say("Next: diswot search --help")


def _spreads(candidate: Candidate, terms: list[str]) -> list[str]:
    import numpy as np

    if candidate.failure is not None:
        return ["–"] * len(terms)
    values = [np.array(candidate.terms[term]) for term in terms]
    return [
        f"{v.mean():.4f} ± {v.std(ddof=1):.4f}" if len(v) > 1 else f"{v[0]:.4f}" for v in values
    ]
