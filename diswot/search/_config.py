"""The options that repeat a run, from its manifest."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.options import DEFAULT_TASK
from diswot.references import NO_CODE
from diswot.runs.config import write_config
from diswot.search._spaces import SPACES
from diswot.tasks import TASKS, find_task

_KEPT = (
    *("teacher_weights", "teacher_classes", "combination", "repeats", "batch_size"),
    *("teacher_state", "threads", "seed", "device"),
)
"""Settings that are options of the same name."""


def write_run_config(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the file by which `diswot search` or `diswot run` repeats a run."""
    job = manifest["job"]
    write_config(folder, "search" if job is None else "run", config_of(manifest))


def config_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that repeat a run; `None` for those that are Python code or not set.

    Args:
        manifest: of the run.
    """
    settings, engine, budget = (manifest[name] for name in ("settings", "engine", "budget"))
    source = settings["data_source"] or {}
    return {
        **_named(settings),
        "data": source.get("data"),
        "data_root": source.get("root"),
        **{name: value for name, value in source.items() if name not in ("data", "root")},
        **{name: settings[name] for name in _KEPT},
        **{f"max_{name}": limit for name, limit in budget.items()},
        "engine": engine["name"],
        **{name: engine[name] for name in ("population", "generations", "objectives")},
        **{name: manifest[name] for name in ("latency", "latency_column")},
        **(manifest["job"] or {}),
    }


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is found by name, where the name is of no code."""
    task = settings.get("task", DEFAULT_TASK)
    teachers = find_task(task).teacher_sources if task in TASKS else ()
    known = {"task": TASKS, "teacher": teachers, "space": SPACES, "scorer": NO_CODE}
    used = {kind: settings.get(kind) for kind in known}
    return {kind: name if name in known[kind] else None for kind, name in used.items()}
