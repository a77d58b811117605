"""Names that a shell completes as values of options."""

from collections.abc import Callable, Iterable, Mapping
from pkgutil import resolve_name

import click

from diswot.options import DEFAULT_TASK


def completed(context: click.Context, option: str, incomplete: str) -> list[str] | None:
    """Return the names that complete the value of an option, `None` if it has no names.

    In a list that is separated by commas, the last name is completed.

    Args:
        context: the parsed part of the command line.
        option: the option, with underscores.
        incomplete: the beginning of the value.
    """
    known: Iterable[str]
    if option in _REGISTRIES:
        known = resolve_name(_REGISTRIES[option])
    elif option in _NAMES:
        known = _NAMES[option](context)
    else:
        return None
    before, comma, last = incomplete.rpartition(",")
    names = sorted(name for name in known if name.startswith(last))
    return [f"{before}{comma}{name}" for name in names if ":" not in name]  # patterns: hf:FOLDER


def _scorers(_context: click.Context) -> Iterable[str]:
    from diswot.scorers import scorers

    return scorers()


def _losses(_context: click.Context) -> Iterable[str]:
    from diswot.losses import terms
    from diswot.training import PRESETS

    return {*PRESETS, *terms()}


def _teachers(context: click.Context) -> Iterable[str]:
    from diswot.tasks import find_task

    return find_task(_task_of(context)).teacher_sources.summaries()


def _datasets(context: click.Context) -> Iterable[str]:
    from diswot.tasks import find_task

    datasets = find_task(_task_of(context)).datasets
    return datasets if isinstance(datasets, Mapping) else ()


def _task_of(context: click.Context) -> str:
    return context.params.get("task") or DEFAULT_TASK


_REGISTRIES: Mapping[str, str] = {
    "task": "diswot.tasks:TASKS",
    "method": "diswot.methods:METHODS",
    "space": "diswot.search:SPACES",
    "engine": "diswot.search:ENGINES",
    "track": "diswot.tracking:TRACKERS",
    "formats": "diswot.export:FORMATS",
    "form": "diswot.export:FORMATS",
}
"""Options whose names are the keys of a registry, which is imported when it is needed."""

_NAMES: Mapping[str, Callable[[click.Context], Iterable[str]]] = {
    "scorer": _scorers,
    "loss": _losses,
    "teacher": _teachers,
    "data": _datasets,
}
"""Functions that return the names of the other options."""
