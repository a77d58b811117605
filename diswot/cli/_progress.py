"""Progress bars with an ETA on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from diswot.cli._terminal import printable, say
from diswot.devices import is_first
from diswot.errors import DiswotError, RunError
from diswot.progress import Progress, Step, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

SECONDS_BETWEEN_LINES = 10
SECONDS_WORTH_A_LINE = 3


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show progress for as long as the block lasts; of several processes the first does."""
    if not is_first():
        yield silent
        return
    if not sys.stderr.isatty():
        with _waiting(_Lines().tell) as tell:
            yield tell
        return
    with _new_bars() as bars, _waiting(_Bars(bars).tell) as tell:
        yield tell


@contextmanager
def _waiting(show: Progress) -> Iterator[Progress]:
    """Hold back what can wait, so that a mistake found within seconds is a single line."""
    held: list[Step] = []
    started = time.monotonic()

    def tell(step: Step) -> None:
        if step.can_wait:
            held.append(step)
            return
        if step.total == 0 or time.monotonic() - started >= SECONDS_WORTH_A_LINE:
            while held:
                show(held.pop(0))
        show(step)

    try:
        yield tell
    except RunError:
        raise
    except DiswotError:
        held.clear()
        raise
    finally:
        for step in held:
            show(step)


def _new_bars() -> Bars:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description:>13}", markup=False),
        progress.BarColumn(bar_width=30),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True),
    )


class _Bars:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, tuple[TaskID, int]] = {}

    def tell(self, step: Step) -> None:
        if step.total == 0:
            line = printable(f"{step.stage}: {step.note}", keep="")
            self._bars.console.print(line, highlight=False, markup=False)
            return
        task, done = self._tasks.get(step.stage, (None, 0))
        if task is None or step.done < done:  # a stage can come again
            task = self._bars.add_task(step.stage, total=step.total, note="")
        self._tasks[step.stage] = task, step.done
        self._bars.update(
            task, completed=step.done, total=step.total, note=printable(step.note, keep="")
        )


class _Lines:
    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._done: dict[str, int] = {}

    def tell(self, step: Step) -> None:
        if step.total == 0:
            say(f"{step.stage}: {step.note}", err=True)
            return
        now = time.monotonic()
        if step.done < self._done.get(step.stage, 0):  # a stage can come again
            del self._started[step.stage]
        self._done[step.stage] = step.done
        started = self._started.setdefault(step.stage, now)
        due = now - self._told.get(step.stage, started) >= SECONDS_BETWEEN_LINES
        ended = step.done == step.total and now - started >= SECONDS_WORTH_A_LINE
        if not (due or ended):
            return
        self._told[step.stage] = now
        spent = now - started
        left = spent / step.done * (step.total - step.done) if step.done else 0
        say(
            f"{step.stage}: {step.done}/{step.total} in {spent:.0f} s, "
            f"{left:.0f} s left; {step.note}",
            err=True,
        )
