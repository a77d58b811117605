"""Runs that are compared: their results, trainings, and the settings in which they differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diswot.errors import OptionError, RunFolderError
from diswot.options import DEFAULT_TASK
from diswot.report._numbers import listed
from diswot.report._outcome import Outcome, read_outcome
from diswot.report._provenance import depends_on_others, facts
from diswot.report._sound import check_sound
from diswot.report._trainings import Curve, read_curves
from diswot.runs import MANIFEST
from diswot.search import Candidate, SearchResult, load_run, read_manifest
from diswot.tasks import Measure

MISSING = "–"

_OF_SCORES = ("scorer", "combination", "repeats", "batch_size", "teacher_state", "scorer_versions")
"""Settings that must agree for scores of two runs to be on one scale."""

_SECTIONS = {"budget": "max_{}", "engine": "{}", "job": "{}", "settings": "{}"}
"""Sections of a manifest whose entries are options → how the option is called."""

_LEFT_OUT = ("data signature", "data_source.root", "other")
"""Beginnings of the names of what says nothing: a SHA-256 says whether data are the same."""

_DIGITS = 12
"""Digits of a SHA-256 that are shown."""


@dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared.

    Attributes:
        name: short name, different for every run.
        folder: the run folder.
        result: result of its search.
        outcome: its final table and exported student.
        curves: its trainings, best on the validation split first.
    """

    name: str
    folder: Path
    result: SearchResult
    outcome: Outcome
    curves: Sequence[Curve]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The manifest of the run."""
        return self.result.manifest

    @property
    def task(self) -> str:
        """Name of the run's task."""
        return str(self.manifest["settings"].get("task", DEFAULT_TASK))

    @property
    def data(self) -> str:
        """SHA-256 of the run's data."""
        return str(self.manifest["data"].get("sha256"))

    @cached_property
    def student(self) -> Curve | None:
        """The training of its exported student, else the best one; `None` without trainings."""
        chosen, verdict = self.curves, self.outcome.verdict
        if verdict is not None:
            exported = [
                curve
                for curve in self.curves
                if (curve.student.architecture, curve.student.loss)
                == (verdict.architecture, verdict.loss)
            ]
            chosen = exported or self.curves
        return next(iter(chosen), None)

    @property
    def chosen(self) -> str:
        """Name of the architecture of its student, or of the winner without a student."""
        return self.student.student.architecture if self.student else self.result.best.name

    def candidate(self, architecture: str) -> Candidate | None:
        """Return the candidate of an architecture; `None` if the search did not propose it."""
        return self._candidates.get(architecture)

    @cached_property
    def _candidates(self) -> dict[str, Candidate]:
        return {candidate.name: candidate for candidate in self.result.candidates}

    @cached_property
    def settings(self) -> dict[str, str]:
        """All options, versions and fingerprints as texts, by name."""
        results: dict[str, str] = {}
        for section, values in facts(self.manifest).items():
            form = _SECTIONS.get(section, f"{section} {{}}")
            for name, text in values.items():
                label = section if name == "name" else form.format(name)
                results.setdefault(label, text[:_DIGITS] if name == "sha256" else text)
        return {n: text for n, text in results.items() if not n.startswith(_LEFT_OUT)}

    @property
    def trained(self) -> Collection[str]:
        """Names of the settings of its trainings; none for a search alone."""
        return self.manifest.get("job") or {}

    @property
    def scale(self) -> tuple[Any, ...]:
        """Everything that determines the scale of its scores."""
        settings = self.manifest["settings"]
        reads = self.manifest.get("teacher") if settings.get("needs_teacher", True) else None
        return (*(str(settings.get(name)) for name in _OF_SCORES), str(reads), self.data)


@dataclass(frozen=True)
class Compared:
    """Several runs of one task.

    Attributes:
        runs: the runs in the order in which they were given.
    """

    runs: Sequence[ComparedRun]

    @cached_property
    def differences(self) -> dict[str, list[str]]:
        """The settings in which the runs differ: name → value of each run."""
        names = dict.fromkeys(name for run in self.runs for name in run.settings)
        values = {name: [run.settings.get(name, MISSING) for run in self.runs] for name in names}
        # A search alone has no settings of trainings, which is not worth forty lines.
        trained = {name for run in self.runs for name in run.trained}
        return {
            name: value
            for name, value in values.items()
            if len({*value} - ({MISSING} if name in trained else set())) > 1
        }

    @cached_property
    def same_scale(self) -> bool:
        """Whether scores of different runs can be compared."""
        relative = any(depends_on_others(run.manifest) for run in self.runs)
        return not relative and len({run.scale for run in self.runs}) == 1

    @cached_property
    def same_data(self) -> bool:
        """Whether measures of different runs can be compared."""
        return len({run.data for run in self.runs}) == 1

    @property
    def measure(self) -> Measure | None:
        """A measure of a trained student, for name and unit; `None` without trainings."""
        return next((run.student.student.val for run in self.runs if run.student), None)

    @property
    def notes(self) -> list[str]:
        """Sentences on what cannot be compared, and on what is missing."""
        untrained = [run.name for run in self.runs if run.student is None]
        notes = []
        if untrained:
            notes.append(f"No student was trained in {listed(untrained)}.")
        if not self.same_data:
            notes.append(
                "The runs have different data, so that their measures cannot be compared directly."
            )
        if not self.same_scale:
            notes.append(
                "The scores of the runs have different scales, as scorer, repeats, batch size, "
                "teacher or data differ, or scores depend on the other candidates: plots show the "
                "share of a run's own candidates that each one outscores."
            )
        return notes


def read_compared(folders: Sequence[str | Path]) -> Compared:
    """Read the runs that are compared.

    Raises:
        OptionError: there are fewer than two different runs, or they are of different tasks.
        RunFolderError: a folder is not a run folder, is damaged, or its search did not finish.
    """
    paths = [Path(folder) for folder in folders]
    places = [path.resolve() for path in paths]
    if len(places) < 2:
        raise OptionError("Expected at least two runs to compare, but got one: name another")
    for index, path in zip(places, paths, strict=True):
        if places.count(index) > 1:
            raise OptionError(f"Expected different runs, but {path} is given twice: name each once")
    for path in paths:  # raises before the work of reading any of them
        read_manifest(path)
    runs = [_read(path, name) for path, name in zip(paths, _names(paths), strict=True)]
    _check_tasks(runs)
    return Compared(runs)


def _read(folder: Path, name: str) -> ComparedRun:
    result = load_run(folder)
    check_sound(result, folder)
    run = ComparedRun(name, folder, result, read_outcome(folder), read_curves(folder))
    try:
        _ = (run.settings, run.scale, result.front)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder / MANIFEST} is damaged ({error!r}): restore it from a copy"
        ) from error
    return run


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the folders' names, or their whole paths if two have the same name."""
    names = [path.resolve().name for path in paths]
    chosen = names if len({*names}) == len(names) else [str(path) for path in paths]
    return [name.encode("utf-8", "replace").decode() for name in chosen]


def _check_tasks(runs: Sequence[ComparedRun]) -> None:
    first = runs[0]
    for run in runs:
        if run.task != first.task:
            raise OptionError(
                f"runs of different tasks cannot be compared: {first.folder} is of the task "
                f"{first.task} and {run.folder} of {run.task}: name runs of one task"
            )
