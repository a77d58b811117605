"""Progress bars with an ETA on a terminal, plain lines elsewhere; always on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from diswot.progress import Progress, Step

SECONDS_BETWEEN_LINES = 10


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show progress for as long as the block lasts."""
    if not sys.stderr.isatty():
        yield _Lines().tell
        return
    with Bars(
        TextColumn("{task.description:>13}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
    ) as bars:
        yield _Bars(bars).tell


class _Bars:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def tell(self, step: Step) -> None:
        if step.stage not in self._tasks:
            self._tasks[step.stage] = self._bars.add_task(step.stage, total=step.total, note="")
        self._bars.update(
            self._tasks[step.stage], completed=step.done, total=step.total, note=step.note
        )


class _Lines:
    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def tell(self, step: Step) -> None:
        now = time.monotonic()
        started = self._started.setdefault(step.stage, now)
        due = now - self._told.get(step.stage, started) >= SECONDS_BETWEEN_LINES
        if step.done != step.total and not due:
            return
        self._told[step.stage] = now
        spent = now - started
        left = spent / step.done * (step.total - step.done) if step.done else 0
        click.echo(
            f"{step.stage}: {step.done}/{step.total}, {spent:.0f} s, {left:.0f} s left {step.note}",
            err=True,
        )
