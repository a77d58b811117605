"""`diswot list`: what there is, with one line each."""

import inspect
from collections.abc import Callable
from importlib.metadata import entry_points

import click

from diswot.cli import _options as shared
from diswot.cli._tables import print_json, print_table
from diswot.data import DATASETS, GIVEN
from diswot.distillation import PRESETS
from diswot.distillation.losses import Kind, terms
from diswot.scorers import scorers
from diswot.search import SPACES
from diswot.teachers import GIVEN as GIVEN_TEACHERS
from diswot.teachers import TEACHERS


def _first_sentence(documented: object) -> str:
    return (inspect.getdoc(documented) or "").splitlines()[0]


def _described(kind: Kind) -> str:
    """Return what a term of a loss is, its weight, and its options with their defaults."""
    said = [kind.card.source, f"weight {kind.card.weight:g}", *kind.written_options()]
    return f"{kind.card.summary} ({'; '.join(said)})"


_LISTINGS: dict[str, Callable[[], dict[str, str]]] = {
    "teachers": lambda: (
        {
            name: f"{network.summary}; {network.params / 1e6:.2f}M parameters for 100 classes"
            for name, network in TEACHERS.items()
        }
        | GIVEN_TEACHERS
    ),
    "spaces": lambda: {name: _first_sentence(type(make(3))) for name, make in SPACES.items()},
    "scorers": lambda: {
        name: f"{scorer.card.summary} ({scorer.card.source}; {scorer.card.cost})"
        for name, scorer in sorted(scorers().items())
    },
    "losses": lambda: {
        **{name: f"{preset.expression}: {preset.summary}" for name, preset in PRESETS.items()},
        **{name: _described(kind) for name, kind in sorted(terms().items())},
    },
    "datasets": lambda: {name: _first_sentence(make) for name, make in DATASETS.items()} | GIVEN,
}


_ADDED = {entry.name: entry for entry in entry_points(group="diswot.listings")}
"""What installed packages have to list: each entry names a function like those above."""


@click.command("list")
@click.argument("kind", type=click.Choice([*_LISTINGS, *_ADDED]))
@shared.JSON
def list_(kind: str, as_json: bool) -> None:
    """List teachers, spaces, scorers, losses, datasets or benchmarks.

    Example: diswot list scorers
    """
    entries = (_LISTINGS[kind] if kind in _LISTINGS else _ADDED[kind].load())()
    if as_json:
        print_json({kind: entries})
        return
    print_table(kind.capitalize(), ["name", "what it is"], entries.items())
    click.echo("Next: diswot run --help")
