"""Check that the numbers of a run can be drawn."""

from pathlib import Path

from diswot.errors import RunFolderError
from diswot.report._measures import MEASURES
from diswot.report._numbers import HUGE
from diswot.search import Candidate, SearchResult


def check_sound(result: SearchResult, folder: Path) -> None:
    """Make sure that a result can be drawn.

    Raises:
        RunFolderError: the winner is not one of the candidates, a number is not finite, or the
            budget is invalid.
    """
    # Manifests and journals can be edited by hand, so numbers are checked before plotting.
    everybody = (result.best, *result.candidates, *result.baselines.values())
    scored = {candidate.name for candidate in result.candidates if candidate.score is not None}
    limits = result.manifest.get("budget") or {}
    sound = (
        result.best.name in scored
        and result.best.score is not None
        and isinstance(limits, dict)
        and all(map(_is_sound, limits.values()))
        and all(_is_sound(value) for candidate in everybody for value in _numbers(candidate))
    )
    if not sound:
        raise RunFolderError(
            f"the run folder {folder} is damaged (its winner, a number or its budget is not "
            "sound): restore it from a copy"
        )


def _numbers(candidate: Candidate) -> list[object]:
    costs = (measure.of(candidate) for measure in MEASURES)
    return [candidate.score, candidate.seconds, candidate.violation, *costs]


def _is_sound(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and abs(value) < HUGE)
