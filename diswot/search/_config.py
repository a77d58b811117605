"""Write the options of a run as a config file, with which the run can be repeated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.options import DEFAULT_TASK
from diswot.references import NO_CODE
from diswot.runs.config import write_config
from diswot.search._spaces import SPACES
from diswot.search._training_budget import TrainingBudget
from diswot.tasks import TASKS, find_task

_KEPT = (
    *("teacher_weights", "teacher_classes", "combination", "repeats", "batch_size"),
    *("teacher_state", "threads", "seed", "device"),
)
"""Settings in the manifest that have an option of the same name."""


def write_run_config(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write the config file with which `diswot search` or `diswot run` repeats a run.

    Args:
        folder: the run folder.
        manifest: the content of its manifest.
    """
    job = manifest["job"]
    write_config(folder, "search" if job is None else "run", config_of(manifest))


def config_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that repeat a run.

    Args:
        manifest: the content of the run's manifest.

    Returns:
        Values by option name; `None` for options that are not set or that name Python code.
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
        **_short_trainings(TrainingBudget(**manifest.get("trainings", {}))),
        **(manifest["job"] or {}),
    }


def _short_trainings(budget: TrainingBudget) -> dict[str, Any]:
    return {
        "trainings": budget.trainings,
        "training_epochs": budget.epochs,
        "train_budget": str(budget) if budget.divided else None,
    }


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return task, teacher, space and scorer by name; `None` for those that name Python code."""
    task = settings.get("task", DEFAULT_TASK)
    teachers = find_task(task).teacher_sources if task in TASKS else ()
    known = {"task": TASKS, "teacher": teachers, "space": SPACES, "scorer": NO_CODE}
    used = {kind: settings.get(kind) for kind in known}
    return {kind: name if name in known[kind] else None for kind, name in used.items()}
