"""Stages of a job: each can be run again, and does what is not done yet."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from diswot.errors import RunFolderError
from diswot.export import Exported
from diswot.pipeline._report import RunReport
from diswot.pipeline._students import Attempts, Students, TrainingSetup
from diswot.pipeline._verdict import Verdict
from diswot.runs.folder import read_json, write_record
from diswot.search import Candidate, SearchResult
from diswot.training import Halving

_RESULT = "result.json"


@dataclass
class Run:
    """A job in a run folder; what each stage finds is added to it for those that follow.

    Attributes:
        folder: the run folder.
        setup: what students are trained with.
        job: the options of `JobOptions`, and of the trainings, as the manifest keeps them.
        known: `result.json` as an earlier call wrote it; empty where there is none.
        fingerprints: those of the stages that ran now.
        result: of the search.
        students: build, train and measure candidates.
        halving: the shortlist's trainings, where there was a choice.
        compared: what is trained, by label; the winner is the first.
        attempts: what came of the trainings, by label.
        verdict: which student to take.
        exported: what was written of it.
        report: what the job made.
    """

    folder: Path
    setup: TrainingSetup
    job: Mapping[str, Any]
    known: Mapping[str, Any] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    result: SearchResult = field(init=False)
    students: Students = field(init=False)
    halving: Halving | None = field(init=False)
    compared: Mapping[str, Candidate] = field(init=False)
    attempts: Mapping[str, Attempts] = field(init=False)
    verdict: Verdict = field(init=False)
    exported: Exported = field(init=False)
    report: RunReport = field(init=False)


class Stage(Protocol):
    """A part of a job.

    Attributes:
        name: what it is called in `result.json`.
    """

    @property
    def name(self) -> str: ...

    def fingerprint(self, run: Run) -> str:
        """Return a digest of all that the outcome follows from; equal ones have equal outcomes."""

    def run(self, run: Run) -> None:
        """Read what is done, resume what was started, and do the rest; add it to the run."""


def run_stages(stages: Sequence[Stage], run: Run) -> RunReport:
    """Run stages one after the other, and write what they made with their fingerprints."""
    for stage in stages:
        stage.run(run)
        run.fingerprints[stage.name] = stage.fingerprint(run)
    write_record(run.folder / _RESULT, run.report.to_json() | {"stages": run.fingerprints})
    return run.report


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
