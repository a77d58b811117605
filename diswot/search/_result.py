"""The result of a search, in memory and on disk."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.options import SearchOptions, declared, takes_options
from diswot.runs import MANIFEST, RESULT
from diswot.runs.folder import read_json, write_record
from diswot.search._brief_training import BriefTraining
from diswot.search._candidate import Candidate
from diswot.search._journal import read_journal, reader_of
from diswot.search._selection import SCORE, knee, pareto_front, shortlist
from diswot.tabular import Tabular
from diswot.tasks import read_signature
from search_spaces import SearchSpace, Signature

SCHEMA = 3
"""Version of the manifest; since this one, every line of the journal has a checksum."""

UNCHECKED = 2
"""Version of the manifest of DisWOT 0.1.0, whose journals have no checksums."""

SHORTLISTED = 5
"""Candidates in the shortlist of `result.json`."""

_SETTINGS = {
    "teacher": str,
    "teacher_weights": str | None,
    "space": str,
    "data": str,
    "scorer": str,
    "combination": str,
    "repeats": int,
    "batch_size": int,
    "teacher_state": str,
    "seed": int,
    "device": str,
    "threads": int,
}
"""Settings that later commands read, and their types."""


@dataclass(frozen=True)
class SearchResult(Tabular):
    """A finished search.

    Attributes:
        best: the candidate with the highest score, or, after short trainings, the most
            promising one; it can be a baseline.
        candidates: all proposed candidates in order, including those that failed or are over
            the budget; baselines that the engine did not propose come last.
        baselines: the largest, the smallest and a random architecture within the budget, by
            label; they are candidates too.
        manifest: all settings, versions and fingerprints of data, teacher and space.
        signature: shapes of the students' inputs and outputs.
        space: the search space; `None` if the run was read without it.
        folder: the run folder; `None` if none was written.
        trainings: short trainings, in the order in which they were chosen.
        order: keys of the scored candidates, most promising first; empty without trainings.
    """

    best: Candidate
    candidates: tuple[Candidate, ...]
    baselines: Mapping[str, Candidate]
    manifest: Mapping[str, Any]
    signature: Signature
    space: SearchSpace | None
    folder: Path | None = None
    trainings: tuple[BriefTraining, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def promising(self) -> list[Candidate]:
        """The scored candidates, the most promising first: by score, and by short trainings."""
        ranked = {candidate.key: candidate for candidate in reversed(self.ranking)}
        return [ranked[key] for key in self.order] if self.order else self.ranking

    @property
    def plain_choices(self) -> Mapping[str, Candidate]:
        """Former name of `baselines` (version 0.1.0)."""
        return self.baselines

    @property
    def ranking(self) -> list[Candidate]:
        """The scored candidates, best score first."""
        scored = [candidate for candidate in self.candidates if candidate.score is not None]
        return sorted(scored, key=Candidate.merit, reverse=True)

    @property
    def failures(self) -> list[Candidate]:
        """The candidates that could not be scored."""
        return [candidate for candidate in self.candidates if candidate.failure is not None]

    @property
    def over_budget(self) -> list[Candidate]:
        """The candidates that were not scored because they cost too much."""
        return [candidate for candidate in self.candidates if not candidate.within_budget]

    @property
    def objectives(self) -> tuple[str, ...]:
        """Objectives of the Pareto front: the engine's, or score and params if it has only one."""
        chosen = tuple(self.manifest["engine"]["objectives"])
        return chosen if len(chosen) > 1 else (SCORE, "params")

    @cached_property
    def front(self) -> list[Candidate]:
        """The Pareto front: candidates that no other one dominates, best score first."""
        return pareto_front(self.candidates, self.objectives)

    @property
    def knee(self) -> Candidate:
        """The knee of the Pareto front, where improving one objective costs most of others."""
        return knee(self.front, self.objectives)

    @property
    def caption(self) -> str:
        """The best candidate and the number of all in one line."""
        return f"best of {len(self.candidates):,} candidates: {self.best}"

    def to_records(self) -> list[dict[str, Any]]:
        """Return all candidates, the most promising first: score, costs, and terms of the score."""
        named = {each.name: label for label, each in self.baselines.items()}
        rest = [candidate for candidate in self.candidates if candidate.score is None]
        return [
            {
                "architecture": each.name,
                "score": each.score,
                "params": each.params,
                "macs": each.macs,
                **{n: v for n, v in each.values.items() if n in ("latency_ms", "memory")},
                **each.means,
                "baseline": named.get(each.name),
                "failure": each.failure,
                "within_budget": each.within_budget,
            }
            for each in (*self.promising, *rest)
        ]

    def shortlist(self, count: int = SHORTLISTED) -> list[Candidate]:
        """Return `count` diverse candidates with high scores, the best first.

        After short trainings, these are the most promising candidates instead.
        """
        if self.order:
            return self.promising[:count]
        return shortlist(self.candidates, count)

    def to_json(self) -> dict[str, Any]:
        """Return the content of `result.json`, without times, so that it is reproducible."""
        scores = {c.key: c.score for c in reversed(self.candidates)}
        return {
            "best": _reproducible(self.best),
            "objectives": list(self.objectives),
            "front": [candidate.name for candidate in self.front],
            "knee": self.knee.name,
            "shortlist": [candidate.name for candidate in self.shortlist()],
            "baselines": {
                name: _reproducible(baseline) for name, baseline in self.baselines.items()
            },
            "scores": {c.key: scores[c.key] for c in self.ranking},
            "evaluated": len(self.candidates) - len(self.over_budget),
            "failed": len(self.failures),
            "over_budget": len(self.over_budget),
            **self._trained(),
        }

    def _trained(self) -> dict[str, Any]:
        """Return the results of short trainings; empty if there were none."""
        if not self.order:
            return {}
        results = [asdict(item) for item in self.trainings]
        for item in results:
            del item["seconds"]
        return {"trainings": results, "order": list(self.order)}

    def save(self) -> None:
        """Write `result.json` into the run folder, if there is one."""
        if self.folder is not None:
            write_record(self.folder / RESULT, self.to_json())


def _reproducible(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate's JSON values without time and worker, which differ between runs."""
    passing = ("seconds", "worker")
    return {name: value for name, value in candidate.to_json().items() if name not in passing}


def recorded_baselines(content: Mapping[str, Any]) -> Any:
    """Return the baselines of a manifest or result; 0.1.0 recorded them as `plain_choices`."""
    return content["baselines"] if "baselines" in content else content["plain_choices"]


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read and check the manifest of a run.

    Raises:
        RunFolderError: it is missing, damaged, or of another version.
    """
    manifest = read_json(folder / MANIFEST)
    if manifest.get("schema") not in (UNCHECKED, SCHEMA):
        raise RunFolderError(
            f"{folder} is a run of another version (schema {manifest.get('schema')!r}, expected "
            f"{SCHEMA}): read it with the version in its manifest.json, or start a new run"
        )
    try:
        for setting, kind in _SETTINGS.items():
            if not isinstance(manifest["settings"][setting], kind):
                raise ValueError(f"{setting} is {manifest['settings'][setting]!r}")
        _check_bounds(manifest["settings"])
        _check_bounds(manifest["engine"])
        read_signature(manifest["data"])
    except (KeyError, TypeError, ValueError, AttributeError, OptionError) as error:
        raise RunFolderError(
            f"{folder / MANIFEST} is damaged ({error!r}): restore it from a copy"
        ) from error
    return manifest


def _check_bounds(values: Mapping[str, Any]) -> None:
    """Make sure that integer settings of a manifest are within the limits of their options.

    Raises:
        OptionError: one is not; a damaged number could cost unlimited time or memory.
    """
    for name, option in declared(SearchOptions).items():
        if name in values and option.kind is int:
            option.checked(values[name])


@takes_options
def load_run(path: str | Path, *, space: SearchSpace | None = None) -> SearchResult:
    """Read the run folder of a finished search.

    Args:
        path: the run folder.
        space: the search space, if it is not a built-in one (nothing that a run folder names
            is imported). Without it, candidates cannot be built.

    Raises:
        RunFolderError: it is not a run folder, is damaged, or its search did not finish.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    if not (folder / RESULT).exists():
        raise RunFolderError(
            f"the search in {folder} did not finish; its journal holds what was evaluated: "
            f"resume it with `diswot resume {folder}`"
        )
    result = read_json(folder / RESULT)
    try:
        return _search_result(folder, manifest, result, space)
    except DiswotError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OSError, IndexError) as error:
        raise RunFolderError(f"the run folder {folder} is damaged ({error!r})") from error


def _search_result(
    folder: Path, manifest: Mapping[str, Any], result: Mapping[str, Any], space: SearchSpace | None
) -> SearchResult:
    space, read = reader_of(manifest, space)
    scores = result["scores"]
    known = read_journal(folder, read, unchecked=manifest["schema"] == UNCHECKED)
    choices = {label: read(line) for label, line in recorded_baselines(result).items()}
    baselines = {item.name: item for item in choices.values()}
    candidates = {
        candidate.name: replace(candidate, score=scores.get(candidate.key))
        for number, candidate in known.items()
        if number >= 0
    }
    candidates |= {n: item for n, item in baselines.items() if n not in candidates}
    keys = {candidate.key for candidate in candidates.values()}
    best, order = read(result["best"]), tuple(result.get("order", []))
    if best.key not in keys:
        raise ValueError(f"the winner {best.key} is not one of its candidates")
    if not set(order) <= keys:
        raise ValueError(
            "the ranking after short trainings has candidates that the run does not have"
        )
    trained = tuple(BriefTraining.from_json(item) for item in result.get("trainings", []))
    everyone, signature = tuple(candidates.values()), read_signature(manifest["data"])
    return SearchResult(best, everyone, choices, manifest, signature, space, folder, trained, order)
