"""Stages of a job: each can be run again, and does what is not done yet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from diswot.errors import RunFolderError
from diswot.pipeline._report import RunReport
from diswot.pipeline._students import TrainingSetup
from diswot.runs.folder import read_json, write_record

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

_RESULT = "result.json"


@dataclass(frozen=True)
class Run:
    """A job in a run folder, and what came of its stages so far.

    Attributes:
        folder: the run folder.
        setup: what students are trained with.
        job: the options of `JobOptions`, and of the trainings, as the manifest keeps them.
        known: `result.json` as an earlier call wrote it; empty where there is none.
        fingerprints: those of the stages that ran now.
        outcomes: of the stages that ran now, by their classes; see `of`.
    """

    folder: Path
    setup: TrainingSetup
    job: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    outcomes: dict[type, Any] = field(default_factory=dict)

    def of(self, stage: "type[Stage[_T]]") -> _T:
        """Return what came of a stage.

        Raises:
            KeyError: it comes later.
        """
        return cast(_T, self.outcomes[stage])


class Stage(Protocol[_T_co]):
    """A part of a job.

    Attributes:
        name: what it is called in `result.json`.
    """

    @property
    def name(self) -> str: ...

    def fingerprint(self, run: Run) -> str:
        """Return a digest of all that the outcome follows from; equal ones have equal outcomes."""

    def run(self, run: Run) -> _T_co:
        """Read what is done, resume what was started, and do the rest; return what came of it."""


def run_stages(stages: Sequence[Stage[Any]], run: Run) -> RunReport:
    """Run stages one after the other, the last of which reports; write that, and fingerprints."""
    for stage in stages:
        run.outcomes[type(stage)] = stage.run(run)
        run.fingerprints[stage.name] = stage.fingerprint(run)
    report: RunReport = run.outcomes[type(stages[-1])]
    write_record(run.folder / _RESULT, report.to_json() | {"stages": run.fingerprints})
    return report


def known_result(folder: Path) -> dict[str, Any]:
    """Return the `result.json` of a main job.

    Empty where it is missing, damaged or of a search alone: the stages are run again, and it is
    written again.
    """
    try:
        found = read_json(folder / _RESULT)
    except RunFolderError:
        return {}
    return found if all(isinstance(found.get(name), dict) for name in ("stages", "student")) else {}


def fingerprint_of(*values: Any) -> str:
    """Return a digest of plain values of JSON.

    Examples:
        >>> fingerprint_of("a", {"b": 1})[:8] == fingerprint_of("a", {"b": 1})[:8]
        True
    """
    content = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
