"""The result so far of a search that is still running, read without disturbing it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diswot.errors import DiswotError
from diswot.runs import JOURNAL
from diswot.scorers import Formula, find_scorer
from diswot.search._candidate import Candidate
from diswot.search._journal import BASELINES, read_journal, reader_of
from diswot.search._result import (
    UNCHECKED,
    SearchResult,
    read_manifest,
    recorded_baselines,
)
from diswot.tasks import read_signature
from search_spaces import SearchSpace


def load_partial_run(folder: Path, *, space: SearchSpace | None = None) -> SearchResult | None:
    """Read the candidates that a search has evaluated so far, with their present scores.

    Nothing is locked, and a line that is just being written is left out. Scores that depend on
    the other candidates can still change.

    Args:
        folder: the run folder.
        space: the search space, if it is not a built-in one.

    Returns:
        The result so far; `None` if no candidate has a score yet, or if the scores cannot be
        computed because the scorer is Python code.

    Raises:
        RunFolderError: it is not a run folder, or is damaged.
    """
    manifest = read_manifest(folder)
    if not (folder / JOURNAL).exists():
        return None
    space, read = reader_of(manifest, space)
    known = read_journal(folder, read, unchecked=manifest["schema"] == UNCHECKED, growing=True)
    formula = _formula(manifest["settings"])
    scored = [] if formula is None else _scored(list(known.values()), formula, manifest)
    if not any(candidate.score is not None for candidate in scored):
        return None
    best = max(scored, key=Candidate.merit)
    by_name = {candidate.name: candidate for candidate in scored}
    labels = {k: by_name[v] for k, v in recorded_baselines(manifest).items() if v in by_name}
    everyone, signature = tuple(by_name.values()), read_signature(manifest["data"])
    return SearchResult(best, everyone, labels, manifest, signature, space, folder)


def _formula(settings: Mapping[str, Any]) -> Formula | None:
    """Return how the terms are combined; `None` if the scorer is not a built-in one."""
    scorer = str(settings["scorer"])
    if ":" in scorer:  # nothing that a run folder names is imported
        return None
    try:
        return Formula(settings["combination"], find_scorer(scorer).formula.parts)
    except DiswotError:
        return None


def _scored(
    candidates: Sequence[Candidate], formula: Formula, manifest: Mapping[str, Any]
) -> list[Candidate]:
    """Return the candidates with scores by the terms that are known so far."""
    names = sorted({name for candidate in candidates for name in candidate.terms})
    with_terms = [c for c in candidates if names and c.terms.keys() == {*names}]
    if not with_terms:
        return list(candidates)
    terms = {name: np.array([c.means[name] for c in with_terms]) for name in names}
    reference = min(len(with_terms), int(manifest["engine"]["population"]) + len(BASELINES))
    try:
        scores = formula.scores(terms, reference=reference)
    except KeyError:  # terms of another version of the scorer
        return list(candidates)
    by_name = {c.name: float(s) for c, s in zip(with_terms, scores, strict=True)}
    return [replace(candidate, score=by_name.get(candidate.name)) for candidate in candidates]
