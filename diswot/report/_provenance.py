"""The settings, versions and hashes of a run, and commands to run next."""

import json
import shlex
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.options import DEFAULT_TASK
from diswot.search import SPACES, SearchResult
from diswot.tasks import TASKS, Task, find_task

RELATIVE = ("rank", "logrank", "standard")
"""Combinations in which a score depends on the other candidates."""


@dataclass(frozen=True)
class Command:
    """A command to run next, with a description."""

    line: str
    does: str


def facts(manifest: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return all values of a manifest as texts, by section.

    Examples:
        >>> facts({"schema": 1, "budget": {"params": 300000, "macs": None}})
        {'budget': {'params': '300000', 'macs': '–'}, 'other': {'schema': '1'}}
    """
    sections = {name: dict(_flat(part)) for name, part in manifest.items() if _is_section(part)}
    loose = {name: _text(value) for name, value in manifest.items() if not _is_section(value)}
    return sections | ({"other": loose} if loose else {})


def known_task(manifest: Mapping[str, Any]) -> Task | None:
    """Return the task of a run; `None` if it is Python code, which is not imported."""
    name = manifest["settings"].get("task", DEFAULT_TASK)
    return find_task(name) if name in TASKS else None


def noun_of(manifest: Mapping[str, Any]) -> str:
    """Return what a run's task calls one example; `example` if the task is not known."""
    return (known_task(manifest) or Task).noun


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping)


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", _text(part)) for inner, part in value.items())
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def commands(result: SearchResult, folder: Path) -> list[Command]:
    """Return the commands that can be run after a search."""
    run = shlex.quote(str(folder))
    settings = result.manifest["settings"]
    built_in = known_task(result.manifest)
    task = _named_again("task", str(settings.get("task", DEFAULT_TASK)), TASKS)
    teachers: Container[str] = () if built_in is None else built_in.teacher_sources
    datasets: Container[str] = () if built_in is None else built_in.datasets
    teacher, space = (
        _named_again(kind, str(settings[kind]), known)
        for kind, known in (("teacher", teachers), ("space", SPACES))
    )
    data = "" if settings.get("data_source") else _named_again("data", settings["data"], datasets)
    return [
        Command(f"diswot distill {run}{task}{teacher}{space}{data}", "trains the winner"),
        Command(
            f"diswot export {run}{task}{space}", "writes the trained student as source and weights"
        ),
        Command(f"diswot report {run}{space}", "writes this page again"),
    ]


def _named_again(kind: str, name: str, known: Container[str]) -> str:
    """Return the option with which Python code must be named again; empty if not needed."""
    if name in known:
        return ""
    place = "path/to/" if kind == "data" else "package.module:"
    return f" --{kind} {shlex.quote(name if ':' in name else f'{place}{name}')}"


def depends_on_others(manifest: Mapping[str, Any]) -> bool:
    """Return whether scores depend on which candidates were evaluated."""
    settings = manifest["settings"]
    scorer, combination = (str(settings.get(name, "")) for name in ("scorer", "combination"))
    return combination in RELATIVE or any(f"{how}(" in scorer for how in RELATIVE)
