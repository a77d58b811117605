"""Names that a shell completes as values of options."""

from collections.abc import Callable, Iterable, Mapping

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
    if option not in _NAMES:
        return None
    before, comma, last = incomplete.rpartition(",")
    names = sorted(name for name in _NAMES[option](context) if name.startswith(last))
    return [f"{before}{comma}{name}" for name in names if ":" not in name]  # patterns: hf:FOLDER


def _tasks(_context: click.Context) -> Iterable[str]:
    from diswot.tasks import TASKS

    return TASKS


def _methods(_context: click.Context) -> Iterable[str]:
    from diswot.methods import METHODS

    return METHODS


def _spaces(_context: click.Context) -> Iterable[str]:
    from diswot.search import SPACES

    return SPACES


def _engines(_context: click.Context) -> Iterable[str]:
    from diswot.search import ENGINES

    return ENGINES


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


def _trackers(_context: click.Context) -> Iterable[str]:
    from diswot.tracking import TRACKERS

    return TRACKERS


def _formats(_context: click.Context) -> Iterable[str]:
    from diswot.export import FORMATS

    return FORMATS


def _task_of(context: click.Context) -> str:
    return context.params.get("task") or DEFAULT_TASK


_NAMES: Mapping[str, Callable[[click.Context], Iterable[str]]] = {
    "task": _tasks,
    "method": _methods,
    "space": _spaces,
    "engine": _engines,
    "scorer": _scorers,
    "loss": _losses,
    "teacher": _teachers,
    "data": _datasets,
    "track": _trackers,
    "formats": _formats,
    "form": _formats,
}
"""Functions that return the names of each option."""
