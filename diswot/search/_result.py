"""What a search found, in memory and on disk."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.options import SearchOptions, declared, takes_options
from diswot.runs.folder import read_json, write_record
from diswot.search._candidate import Candidate
from diswot.search._journal import candidate_reader, read_journal
from diswot.search._selection import SCORE, knee, pareto_front, shortlist
from diswot.search._spaces import SPACES, find_space
from diswot.students import Fresh
from diswot.tasks import read_signature
from search_spaces import SearchSpace, Signature

SCHEMA = 3
"""Of manifests, whose journals have a checksum on every line."""

UNCHECKED = 2
"""The schema of DisWOT 0.1.0, which wrote no checksums."""

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
"""Settings that later commands read, and what they must be."""

RESULT = "result.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class BriefTraining:
    """A short training of a candidate.

    Attributes:
        key: of its network.
        architecture: its name.
        epochs: how long it was.
        value: measure on the validation split, higher is better; `None` if it failed.
        failure: why there is none, if so.
        seconds: how long it took.
    """

    key: str
    architecture: str
    epochs: int
    value: float | None
    failure: str | None = None
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class SearchResult:
    """A finished search.

    Attributes:
        best: the candidate of the highest score, or after short trainings the most promising
            one; it may be a baseline.
        candidates: all that were evaluated, in the order of their proposal; those that
            failed or are over budget included. Baselines that the engine did not propose
            come last.
        baselines: what one would take without a search: the largest, the smallest and a random
            architecture in budget. They are candidates too.
        manifest: every setting, and the versions and data it was made with.
        signature: what the students take and give.
        space: the search space; `None` if the run was read without it.
        folder: the run folder, if one was written.
        trainings: short ones that the search was allowed, in the order of their choice.
        order: keys of the scored candidates, the most promising first; empty without trainings.
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
        """The baselines, as version 0.1.0 called them."""
        return self.baselines

    @property
    def ranking(self) -> list[Candidate]:
        """The candidates that have a score, best first."""
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
        """What the front is of: the engine's objectives; score and parameters if it has one."""
        chosen = tuple(self.manifest["engine"]["objectives"])
        return chosen if len(chosen) > 1 else (SCORE, "params")

    @cached_property
    def front(self) -> list[Candidate]:
        """The candidates that no other one dominates, best score first."""
        return pareto_front(self.candidates, self.objectives)

    @property
    def knee(self) -> Candidate:
        """The candidate of the front from which every gain costs most."""
        return knee(self.front, self.objectives)

    def shortlist(self, count: int = SHORTLISTED) -> list[Candidate]:
        """Return `count` candidates that score well and differ; the best is the first.

        After short trainings they are the most promising ones.
        """
        if self.order:
            return self.promising[:count]
        return shortlist(self.candidates, count)

    def to_json(self) -> dict[str, Any]:
        """Return what `result.json` holds: the same for the same run, whenever it was made."""
        scores = {c.key: c.score for c in reversed(self.candidates)}
        return {
            "best": _reproducible(self.best),
            "objectives": list(self.objectives),
            "front": [candidate.name for candidate in self.front],
            "knee": self.knee.name,
            "shortlist": [candidate.name for candidate in self.shortlist()],
            "baselines": {name: _reproducible(each) for name, each in self.baselines.items()},
            "scores": {c.key: scores[c.key] for c in self.ranking},
            "evaluated": len(self.candidates) - len(self.over_budget),
            "failed": len(self.failures),
            "over_budget": len(self.over_budget),
            **self._trained(),
        }

    def _trained(self) -> dict[str, Any]:
        """Return what came of short trainings, if there were any."""
        if not self.order:
            return {}
        found = [asdict(each) for each in self.trainings]
        for each in found:
            del each["seconds"]
        return {"trainings": found, "order": list(self.order)}

    def save(self) -> None:
        """Write `result.json` into the run folder, where there is one."""
        if self.folder is not None:
            write_record(self.folder / RESULT, self.to_json())


def _reproducible(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate without what differs from process to process."""
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
    """Make sure that numbers which cost time or memory are some that can be asked for.

    Raises:
        OptionError: one is not.
    """
    for name, option in declared(SearchOptions).items():
        if name in values and option.kind is int:
            option.checked(values[name])


@takes_options
def load_run(path: str | Path, *, space: SearchSpace | None = None) -> SearchResult:
    """Read the run folder of a finished search.

    Args:
        path: the folder.
        space: the search space, where it is none of the built-in ones: nothing that a
            run folder names is imported.

    Raises:
        RunFolderError: it is no run folder, is damaged, or its search did not finish.
    """
    folder = Path(path)
    manifest = read_manifest(folder)
    signature = read_signature(manifest["data"])
    if not (folder / RESULT).exists():
        raise RunFolderError(
            f"the search in {folder} did not finish; its journal holds what was evaluated: "
            f"resume it with `diswot resume {folder}`"
        )
    result = read_json(folder / RESULT)
    try:
        name = manifest["settings"]["space"]
        if space is None and name in SPACES:
            space = find_space(name, signature)
        # students that were cut out of a larger network cannot be built again without it
        source = None if space is None or "students" in manifest else Fresh(space, signature)
        read = candidate_reader(space, source)
        scores = result["scores"]
        known = read_journal(folder, read, unchecked=manifest["schema"] == UNCHECKED)
        choices = {label: read(line) for label, line in recorded_baselines(result).items()}
        baselines = {each.name: each for each in choices.values()}
        candidates = {
            candidate.name: replace(candidate, score=scores.get(candidate.key))
            for number, candidate in known.items()
            if number >= 0
        }
        candidates |= {n: each for n, each in baselines.items() if n not in candidates}
        best = read(result["best"])
        if best.key not in {candidate.key for candidate in candidates.values()}:
            raise ValueError(f"the winner {best.key} is none of its candidates")
        trained = tuple(BriefTraining(**each) for each in result.get("trainings", []))
        order = tuple(result.get("order", []))
        if not set(order) <= {candidate.key for candidate in candidates.values()}:
            raise ValueError("the order after short trainings names others than its candidates")
    except DiswotError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OSError, IndexError) as error:
        raise RunFolderError(f"the run folder {folder} is damaged ({error!r})") from error
    everyone = tuple(candidates.values())
    return SearchResult(best, everyone, choices, manifest, signature, space, folder, trained, order)
