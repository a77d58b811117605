"""Runs of methods with their own stages: start, resume, and read their settings."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.methods import Assignment, WholeReport, WholeRun, find_method
from diswot.options import filled
from diswot.progress import Progress
from diswot.runs import METHOD_MANIFEST, RESULT
from diswot.runs.folder import read_json, versions, write_record
from diswot.search import SPACES, Budget, data_again, restored_option, task_of

SCHEMA = 1
"""Version of the manifest."""

_SAFE = (str, int, float, bool, type(None))
_MOVABLE = ("workers", "cluster", "device")
"""Options that do not change the result, so that a resumed run may have others."""


def started(method: WholeRun, assignment: Assignment) -> WholeReport:
    """Write the manifest of a new run, and conduct it.

    Args:
        method: the method.
        assignment: data, space, options and folder of the run.
    """
    write_record(
        assignment.folder / METHOD_MANIFEST,
        {
            "schema": SCHEMA,
            "method": method.name,
            "settings": _settings(assignment),
            "budget": asdict(assignment.budget),
            "options": _recorded(assignment.options),
            "own": _recorded(assignment.own),
            "data": assignment.data.digest,
            "versions": versions(),
        },
    )
    return _conducted(method, assignment)


def resumed(folder: Path, options: Mapping[str, Any], *, progress: Progress) -> WholeReport:
    """Resume a run from its manifest; what is done in the folder is not repeated.

    Args:
        folder: the run folder, which is locked.
        options: options of `resume`; `None` for those of the run.
        progress: receives every step.

    Raises:
        RunFolderError: the manifest is damaged, or the data are others.
        OptionError: an option cannot change, or Python code must be named again.
    """
    manifest = read_method_manifest(folder)
    given = {name: value for name, value in options.items() if value is not None}
    used, method = manifest["settings"], _method(manifest, folder)
    data = data_again(
        used,
        given.pop("data", None),
        task=given.pop("task", None),
        data_root=given.pop("data_root", None),
        image_size=given.pop("image_size", None),
        progress=progress,
    )
    if data.digest != manifest["data"]:
        raise RunFolderError(f"the data of the run in {folder} have changed: restore them")
    sources = task_of(used, data=data).teacher_sources
    teacher = given.pop("teacher", None)
    if teacher is None and used["teacher"] is not None:
        teacher = restored_option("teacher", used["teacher"], None, sources)
    space = restored_option("space", used["space"], given.pop("space", None), SPACES)
    again = {**manifest["options"], **{n: given.pop(n) for n in _MOVABLE if n in given}}
    if given:
        name = next(iter(given))
        raise OptionError(f"--{name.replace('_', '-')} cannot change in {folder}: leave it out")
    own = filled(method.options, manifest["own"])
    budget = Budget(**manifest["budget"])
    return _conducted(
        method, Assignment(folder, data, teacher, space, budget, again, own, progress)
    )


def read_method_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a run of a method with its own stages.

    Raises:
        RunFolderError: it is missing, damaged, or of another version.
    """
    manifest = read_json(folder / METHOD_MANIFEST)
    if manifest.get("schema") != SCHEMA:
        raise RunFolderError(
            f"{folder} is a run of another version (schema {manifest.get('schema')!r}, expected "
            f"{SCHEMA}): start a new run"
        )
    return manifest


def whole_run_of(folder: Path) -> WholeRun | None:
    """Return the method of a run with its own stages; `None` for any other folder.

    Raises:
        RunFolderError: the manifest is damaged.
    """
    if not (folder / METHOD_MANIFEST).exists():
        return None
    return _method(read_method_manifest(folder), folder)


def _method(manifest: Mapping[str, Any], folder: Path) -> WholeRun:
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


def _settings(assignment: Assignment) -> dict[str, Any]:
    data, teacher, space = assignment.data, assignment.teacher, assignment.space
    source = data.source
    return {
        "task": data.task.name,
        "data": data.name,
        "data_source": None if source is None else source.to_json(),
        "teacher": teacher if isinstance(teacher, str | None) else type(teacher).__name__,
        "space": space if isinstance(space, str) else type(space).__name__,
    }


def _recorded(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options as JSON values; Python objects are recorded by their type's name."""
    return {
        name: value
        if _is_plain(value)
        else str(value)
        if isinstance(value, Path)
        else type(value).__name__
        for name, value in options.items()
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, _SAFE) or (
        isinstance(value, list | tuple) and all(isinstance(item, _SAFE) for item in value)
    )
