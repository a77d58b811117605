"""What commands print: tables for people, one object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from diswot.export import Exported
    from diswot.search import Candidate

TEXT = ("", "name", "network", "architecture", "what it is")
"""Columns of words; the others hold numbers."""

UNBROKEN = ("", "params", "MACs", "latency", "latency_ms", "memory", "score")

EXTRA_COSTS = {"latency_ms": ".2f", "memory": ",d"}
"""Costs that are not always known, and how they are written."""

PLAIN_WIDTH = 130
"""Width where the output is no terminal."""


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    unbroken: Sequence[str] = UNBROKEN,
) -> None:
    """Print a table; columns of numbers are aligned right, and some are never broken."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(
        title=title, caption=caption, box=box.SIMPLE, title_justify="left", caption_justify="left"
    )
    for column in columns:
        table.add_column(
            column,
            justify="left" if column in TEXT else "right",
            overflow="fold",
            no_wrap=column in unbroken,
        )
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def count(number: int) -> str:
    """Write a large number short: 278,324 as `278k`."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def optional(number: float | None, form: str = ".4f") -> str:
    """Write a number, or a dash where there is none."""
    return "–" if number is None else format(number, form)


def candidate_row(label: str, candidate: Candidate, costs: Sequence[str] = ()) -> list[str]:
    """Return label, architecture, parameters, multiply-adds, other costs and score."""
    return [
        label,
        candidate.name,
        count(candidate.params),
        count(candidate.macs),
        *(optional(getattr(candidate.costs, name), EXTRA_COSTS[name]) for name in costs),
        "failed" if candidate.failure else optional(candidate.score),
    ]


def print_json(record: Mapping[str, object]) -> None:
    """Print one JSON object on a line of its own."""
    click.echo(json.dumps(record))


def print_checks(exported: Exported) -> None:
    """Say of every exported form how closely it was found to compute the same."""
    for form, difference in exported.differences.items():
        click.echo(f"  {form} gives the same outputs in a process of its own (to {difference:.1g})")
    if exported.int8 is not None:
        small, large = (exported.sizes[name] for name in ("student.int8.onnx", "student.onnx"))
        click.echo(
            f"  student.int8.onnx: test accuracy {exported.int8.accuracy} in {small:,} bytes, "
            f"in single precision {exported.int8.float_accuracy} in {large:,}"
        )
