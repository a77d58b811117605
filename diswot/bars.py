"""Progress bars with an ETA, on standard error or in a notebook."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from diswot.devices import is_first
from diswot.errors import DiswotError, RunError
from diswot.printable import printable
from diswot.progress import Progress, Step, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

SECONDS_WORTH_A_LINE = 3
_SECONDS_BETWEEN_UPDATES = 0.2


@contextmanager
def displayed(progress: Progress | bool | None) -> Iterator[Progress]:
    """Yield the progress callback to use inside the block.

    Args:
        progress: a callback, which is used unchanged; `False` for no reports; `None` or `True`
            for progress bars if standard error is a terminal or this is a notebook.

    Examples:
        >>> with displayed(False) as report:
        ...     report is silent
        True
    """
    if callable(progress):
        yield progress
    elif progress is False or not (is_first() and can_be_drawn()):
        yield silent
    else:
        with drawn() as report:
            yield report


@contextmanager
def drawn() -> Iterator[Progress]:
    """Draw progress bars inside the block; yields the callback that updates them."""
    if _is_notebook() and find_spec("ipywidgets") is None:  # rich warns in every step
        with waiting(_NotebookLines().report) as report:
            yield report
        return
    with _new_bars() as bars, waiting(_Bars(bars).report) as report:
        yield report


def _is_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell" and "ipykernel" in sys.modules


def can_be_drawn() -> bool:
    """Return whether standard error is a terminal, or this is a notebook."""
    if _is_notebook():
        return True
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


@contextmanager
def waiting(show: Progress) -> Iterator[Progress]:
    """Delay steps that can wait, so that an error within seconds prints a single line.

    Args:
        show: receives the steps once work has lasted a few seconds or ended well; if a
            `DiswotError` other than `RunError` is raised first, delayed steps are dropped.
    """
    held: list[Step] = []
    started = time.monotonic()

    def report(step: Step) -> None:
        if step.can_wait:
            held.append(step)
            return
        if step.total == 0 and not step.note:  # it only has values, which trackers store
            return
        # A message, or work that has lasted a while, shows that the input was accepted.
        if step.total == 0 or time.monotonic() - started >= SECONDS_WORTH_A_LINE:
            while held:
                show(held.pop(0))
        show(step)

    try:
        yield report
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

    def report(self, step: Step) -> None:
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


class _NotebookLines:
    """Progress as lines of text below a cell, which are updated in place; needs no widgets."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}
        self._updated = 0.0
        self._handle: Any = None

    def report(self, step: Step) -> None:
        """Print a message, or update the line of a stage at most five times per second."""
        if step.total == 0:
            message = printable(f"{step.stage}: {step.note}", keep="")
            sys.stdout.write(f"{message}\n")  # notebooks show standard error as errors
            return
        done = 20 * step.done // max(1, step.total)
        bar = "█" * done + "░" * (20 - done)
        text = f"{step.stage:>13} {bar} {step.done}/{step.total} {step.note}"
        self._lines[step.stage] = printable(text.rstrip(), keep="")
        now = time.monotonic()
        if step.done >= step.total or now - self._updated >= _SECONDS_BETWEEN_UPDATES:
            self._updated = now
            self._show("\n".join(self._lines.values()))

    def _show(self, text: str) -> None:
        from html import escape  # not at start-up, as only notebooks need it

        notebook: Any = importlib.import_module("IPython.display")  # which has no types
        content = notebook.HTML(f"<pre>{escape(text)}</pre>")
        if self._handle is None:
            self._handle = notebook.display(content, display_id=True)
        else:
            self._handle.update(content)
