"""`diswot list`: tasks, methods, teachers and so on, with a line each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import click

from diswot import plugins
from diswot.cli import _options as shared
from diswot.cli._tables import print_json, print_table
from diswot.cli._terminal import say
from diswot.errors import SpaceError

if TYPE_CHECKING:
    from diswot.losses import TermSpec

ADDED = "diswot.listings"
"""Entry point group of plugins' listings: functions () → {name: description}."""


def _tasks() -> dict[str, str]:
    from diswot.tasks import TASKS, find_task

    results = {name: find_task(name) for name in sorted(TASKS)}
    return {
        name: f"{task.summary}; by default the data {task.data}, the teacher {task.teacher} and "
        f"the space {task.space}"
        for name, task in results.items()
    }


def _methods() -> dict[str, str]:
    from diswot.methods import METHODS, find_method

    return {name: find_method(name).summary for name in METHODS}


def _teachers() -> dict[str, str]:
    """Return teacher → description, with the tasks that offer it."""
    from diswot.tasks import TASKS, find_task

    results: dict[str, dict[str, list[str]]] = {}
    for task in sorted(TASKS):
        for name, summary in find_task(task).teacher_sources.summaries().items():
            results.setdefault(name, {}).setdefault(summary, []).append(task)
    return {
        name: "; ".join(f"{', '.join(tasks)}: {summary}" for summary, tasks in lines.items())
        for name, lines in results.items()
    }


def _spaces() -> dict[str, str]:
    from diswot.search import SPACES, find_space
    from search_spaces import Signature, TensorSpec

    images = Signature((TensorSpec("images", (3, 32, 32)),), 10)
    described: dict[str, str] = {}
    for name in SPACES:
        try:
            described[name] = _first_sentence(type(find_space(name, images)))
        except SpaceError:
            described[name] = "only for inputs other than images of 3×32×32"
    return described


def _scorers() -> dict[str, str]:
    from diswot.scorers import scorers

    return {
        name: f"{scorer.card.summary} ({scorer.card.source}; {scorer.card.cost})"
        for name, scorer in sorted(scorers().items())
    }


def _losses() -> dict[str, str]:
    """Return loss → description, with the tasks whose networks give its inputs."""
    from diswot.losses import parse_objective, terms
    from diswot.tasks import TASKS, find_task
    from diswot.training import PRESETS

    tasks = [find_task(name) for name in sorted(TASKS)]  # importing a task registers its losses

    def read(reads: Iterable[str]) -> str:
        return ", ".join(task.name for task in tasks if task.reads.issuperset(reads)) or "no task"

    return {
        **{
            name: f"{read(parse_objective(name).reads)}: {preset.expression}: {preset.summary}"
            for name, preset in PRESETS.items()
        },
        **{
            name: f"{read(kind.card.reads)}: {_described(kind)}"
            for name, kind in sorted(terms().items())
        },
    }


def _datasets() -> dict[str, str]:
    """Return dataset → description, with its task."""
    from diswot.tasks import TASKS, find_task
    from diswot.tasks.images import GIVEN

    results: dict[str, str] = {}
    for task in sorted(TASKS):
        datasets = find_task(task).datasets
        for name, made in datasets.items() if isinstance(datasets, Mapping) else ():
            summary = made if isinstance(made, str) else _first_sentence(made)
            results[name] = f"{task}: {summary.removeprefix('Return ')}"
    return results | {name: f"images: {summary}" for name, summary in GIVEN.items()}


def _first_sentence(documented: object) -> str:
    return (inspect.getdoc(documented) or "no description").splitlines()[0]


def _described(kind: TermSpec) -> str:
    """Return a loss term's summary, source, default weight, and options with defaults."""
    messages = [kind.card.source, f"weight {kind.card.weight:g}", *kind.written_options()]
    return f"{kind.card.summary} ({'; '.join(messages)})"


def _benchmarks() -> dict[str, str]:
    from diswot.bench.ground_truths import TRUTHS

    return {
        name: _first_sentence(load).removeprefix("Return the ") for name, load in TRUTHS.items()
    }


_LISTINGS: dict[str, Callable[[], dict[str, str]]] = {
    "tasks": _tasks,
    "methods": _methods,
    "teachers": _teachers,
    "spaces": _spaces,
    "scorers": _scorers,
    "losses": _losses,
    "datasets": _datasets,
    "benchmarks": _benchmarks,
}


@click.command("list")
@click.argument("kind", type=click.Choice([*_LISTINGS, *plugins.offered(ADDED)]))
@shared.JSON
def list_(kind: str, as_json: bool) -> None:
    """List tasks, methods, teachers, spaces, scorers, losses, datasets or benchmarks.

    Example: diswot list scorers
    """
    listing = _LISTINGS.get(kind) or plugins.load(plugins.offered(ADDED)[kind])
    entries = listing()
    if as_json:
        print_json({kind: entries})
        return
    print_table(kind.capitalize(), ["name", "what it is"], entries.items())
    say("Next: diswot run --help")
