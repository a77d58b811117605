"""Output of commands: tables, or one JSON object."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from diswot.cli._terminal import say, written

if TYPE_CHECKING:
    from diswot.export import Exported, Form, Quantization
    from diswot.search import Candidate
    from diswot.training import Training

WORDS = (
    *("", "name", "network", "architecture", "what it is", "teacher", "student", "loss", "method"),
    *("group", "file", "verdict", "example", "label", "run", "setting"),
)
"""Headings of text columns, which may be wrapped; other columns hold numbers."""

EXTRA_COSTS = {"latency_ms": ".2f", "memory": ",d"}
"""Optional costs and their number formats."""

CAPTION_WIDTH = 130
"""Width of captions if the output is not a terminal."""


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    piped: int | None = None,
    words: bool = False,
) -> None:
    """Print a table that fits the terminal or the environment variable `COLUMNS`.

    If it does not fit, words are wrapped, or each row is printed as a record: no number is
    truncated and no column omitted.

    Args:
        title: printed above the table.
        columns: headings.
        rows: cells of each row, one per column.
        caption: printed below the table.
        piped: width if the output is not a terminal; `None` for no limit.
        words: whether all columns hold words, which may be wrapped.
    """
    from diswot.cli._layout import Layout, paragraph

    width = _width() or piped
    table = Layout(
        [written(column) for column in columns],
        [[written(cell) for cell in row] for row in rows],
        [words or column in WORDS for column in columns],
    )
    prose = width or CAPTION_WIDTH
    say("\n".join([paragraph(title, prose), "", *table.lines(width), ""]))
    if caption:
        say(paragraph(caption, prose))


def teacher_seen(settings: Mapping[str, Any]) -> str:
    """Return "random teacher", "trained teacher" or "no teacher", as the scores use it."""
    return (
        f"{settings['teacher_state']} teacher"
        if settings.get("needs_teacher", True)
        else "no teacher"
    )


def _width() -> int | None:
    """Return the width of lines in characters; `None` for no limit."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns
    return None


def count(number: int) -> str:
    """Format a number with three digits and a unit: 278,324 as `278k`."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def counted(number: int, noun: str) -> str:
    """Return a number with a noun in its singular or plural: `1 epoch`, `1,200 epochs`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def optional(number: float | None, form: str = ".4f") -> str:
    """Format a number; `None` as a dash."""
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
    say(json.dumps(record))


LAYERS = 10
"""Layers of an 8-bit format that are printed."""


def _print_layers(form: Form) -> None:
    """Print the layers that lose most in 8 bits."""
    unit = form.measure.unit if form.measure else ""
    metric = f" {form.measure.name}" if form.measure else ""
    factor = 100 if unit == "%" else 1
    print_table(
        f"{form.file}: the layers that lose most if they alone are quantized",
        ["layer", "error of outputs", f"loss of validation{metric}"],
        [
            [
                layer.layer,
                f"{100 * layer.error:.2f} %",
                "–" if layer.loss is None else f"{factor * layer.loss:.2f}",
            ]
            for layer in form.layers[:LAYERS]
        ],
        caption=f"{len(form.layers)} layers; config.json and the model card have all of them.",
    )


def _print_quantization(found: Quantization) -> None:
    """Print what 8 bits cost on the validation split, and advise fine-tuning if it is much."""
    costs = (
        f"validation {found.exact.name} {found.exact.brief} in fp32, {found.before.brief} in int8"
    )
    if found.after is not None:
        used = "which is exported" if found.is_improved else "no better, so it is not exported"
        say(f"int8: {costs}, {found.after.brief} after fine-tuning, {used}")
    elif found.is_large:
        say(f"int8: {costs}: --qat fine-tunes the weights for 8 bits")


def print_reads(trainings: Mapping[str, Training]) -> None:
    """Print how many training examples were read by the trainings that count them, by loss."""
    for loss, training in trainings.items():
        if training.train_reads is not None:
            say(f"Training examples read by the training with {loss}: {training.train_reads:,}")


def print_exported(exported: Exported) -> None:
    """Print accuracy, latency and size of every exported format, and why others are missing."""
    forms = exported.forms.values()
    threads = {form.threads for form in forms if form.threads is not None}
    names = [f" {form.measure.name}" for form in forms if form.measure is not None]
    print_table(
        "Every format, run in its own process",
        ["file", f"test{names[0] if names else ''}", "ms", "bytes", "largest difference"],
        [
            [
                form.file,
                "–" if form.measure is None else str(form.measure),
                optional(form.milliseconds, ".3f"),
                f"{form.bytes:,}",
                optional(form.difference, ".1g"),
            ]
            for form in forms
        ],
        caption=(
            f"ms: median for one {exported.noun} on this CPU, "
            f"{', '.join(map(str, sorted(threads)))} thread(s). "
            "Differences of outputs are in units of the largest output."
        ),
    )
    for form in forms:
        if form.layers:
            _print_layers(form)
        if form.quantization is not None:
            _print_quantization(form.quantization)
        if form.milliseconds is None:
            say(f"note: {form.file} was converted but not run: it runs only on devices")
    for name, reason in exported.left_out.items():
        say(f"warning: {name} was not written: {reason}", err=True)
