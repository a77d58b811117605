"""Runs of methods with their own stages: start and resume."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.errors import DiswotError, RunFolderError
from diswot.methods import (
    Assignment,
    WholeReport,
    WholeRun,
    find_method,
    read_assignment,
    read_method_manifest,
    write_assignment,
)
from diswot.progress import Progress
from diswot.runs import METHOD_MANIFEST, RESULT
from diswot.runs.folder import write_record


def started(method: WholeRun, assignment: Assignment) -> WholeReport:
    """Write the manifest of a new run, and conduct it.

    Args:
        method: the method.
        assignment: data, space, options and folder of the run.
    """
    write_assignment(method, assignment)
    return _conducted(method, assignment)


def resumed(
    method: WholeRun, folder: Path, options: Mapping[str, Any], *, progress: Progress
) -> WholeReport:
    """Resume a run from its manifest; what is done in the folder is not repeated.

    Args:
        method: the method of the run.
        folder: the run folder, which is locked.
        options: options of `resume`; `None` for those of the run.
        progress: receives every step.

    Raises:
        RunFolderError: the manifest is damaged, or the data are others.
        OptionError: an option cannot change, or Python code must be named again.
    """
    return _conducted(method, read_assignment(method, folder, options, progress=progress))


def whole_run_of(folder: Path) -> WholeRun | None:
    """Return the method of a run with its own stages; `None` for any other folder.

    Raises:
        RunFolderError: the manifest is damaged.
    """
    if not (folder / METHOD_MANIFEST).exists():
        return None
    manifest = read_method_manifest(folder)
    try:
        method = find_method(manifest["method"])
    except (KeyError, DiswotError) as error:
        raise RunFolderError(f"{folder / METHOD_MANIFEST} is damaged ({error})") from error
    if not isinstance(method, WholeRun):
        raise RunFolderError(f"{folder / METHOD_MANIFEST} is damaged (method {method.name})")
    return method


def _conducted(method: WholeRun, assignment: Assignment) -> WholeReport:
    report = method.conduct(assignment)
    write_record(assignment.folder / RESULT, report.to_json())
    return report
