"""Stages of a run: each can be repeated, and only does what is not done yet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

from diswot.errors import RunFolderError
from diswot.pipeline._report import RunReport
from diswot.pipeline._students import TrainingSetup
from diswot.runs import RESULT
from diswot.runs.folder import read_json, write_record

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


@dataclass(frozen=True)
class Run:
    """A run in a folder, with the results of its stages so far.

    Attributes:
        folder: the run folder.
        setup: teacher, data and recipe with which students are trained.
        job: `JobOptions` and options of the trainings, as recorded in the manifest.
        known: content of `result.json` from an earlier call; empty if there is none.
        fingerprints: fingerprints of the finished stages, by name.
        outcomes: results of the finished stages, by class; see `of`.
    """

    folder: Path
    setup: TrainingSetup
    job: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    outcomes: dict[type, Any] = field(default_factory=dict)

    def of(self, stage: "type[Stage[_T]]") -> _T:
        """Return the result of a stage.

        Args:
            stage: class of the stage.

        Raises:
            KeyError: the stage has not run yet.
        """
        return cast(_T, self.outcomes[stage])


class Stage(Protocol[_T_co]):
    """A part of a run.

    Attributes:
        name: name in `result.json`.
    """

    @property
    def name(self) -> str: ...

    def fingerprint(self, run: Run) -> str:
        """Return a digest of everything that the stage's result depends on."""

    def run(self, run: Run) -> _T_co:
        """Do what is missing, reuse or resume what was done before, and return the result."""


def run_stages(stages: Sequence[Stage[Any]], run: Run) -> RunReport:
    """Run stages in order; write the report of the last one and all fingerprints.

    Args:
        stages: the stages; the last one returns a `RunReport`.
        run: the run, which collects their results.
    """
    for stage in stages:
        run.outcomes[type(stage)] = stage.run(run)
        run.fingerprints[stage.name] = stage.fingerprint(run)
    report: RunReport = run.outcomes[type(stages[-1])]
    write_record(run.folder / RESULT, report.to_json() | {"stages": run.fingerprints})
    return report


def known_result(folder: Path) -> dict[str, Any]:
    """Return the content of a run's `result.json`.

    Empty if the file is missing, damaged or of a stand-alone search; then all stages run again,
    and the file is written again.
    """
    try:
        record = read_json(folder / RESULT)
    except RunFolderError:
        return {}
    return (
        record if all(isinstance(record.get(name), dict) for name in ("stages", "student")) else {}
    )


def fingerprint_of(*values: Any) -> str:
    """Return the SHA-256 of JSON values.

    Examples:
        >>> fingerprint_of("a", {"b": 1})[:8] == fingerprint_of("a", {"b": 1})[:8]
        True
    """
    content = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()
