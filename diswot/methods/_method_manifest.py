"""The manifest of a run whose method has its own stages: from options to JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from diswot.errors import OptionError, RunFolderError
from diswot.methods._run_method import RunMethod
from diswot.methods._whole_run import Assignment, WholeRun
from diswot.options import filled
from diswot.progress import Progress, silent
from diswot.runs import METHOD_MANIFEST
from diswot.runs.folder import read_json, versions, write_record
from diswot.search import SPACES, Budget, data_again, restored_option, task_of

SCHEMA = 1
"""Version of the manifest."""

_SAFE = (str, int, float, bool, type(None))
MOVABLE = ("workers", "cluster", "device")
"""Options that do not change the result, so that a resumed run may have others."""


def write_assignment(method: WholeRun, assignment: Assignment) -> None:
    """Write the manifest of a new run.

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


def read_assignment(
    method: RunMethod,
    folder: Path,
    options: Mapping[str, Any] | None = None,
    *,
    progress: Progress = silent,
) -> Assignment:
    """Return what a run was given, from its manifest.

    Args:
        method: the method of the run.
        folder: the run folder.
        options: options of `resume`; `None` for those of the run.
        progress: receives every step.

    Raises:
        RunFolderError: the manifest is damaged, or the data are others.
        OptionError: an option cannot change, or Python code must be named again.
    """
    manifest = read_method_manifest(folder)
    given = {name: value for name, value in (options or {}).items() if value is not None}
    used = manifest["settings"]
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
    again = {**manifest["options"], **{n: given.pop(n) for n in MOVABLE if n in given}}
    if given:
        name = next(iter(given))
        raise OptionError(f"--{name.replace('_', '-')} cannot change in {folder}: leave it out")
    own = filled(method.options, manifest["own"])
    budget = Budget(**manifest["budget"])
    return Assignment(folder, data, teacher, space, budget, again, own, progress)


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
