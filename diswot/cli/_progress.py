"""Progress bars with an ETA on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from diswot.bars import SECONDS_WORTH_A_LINE, can_be_drawn, drawn, waiting
from diswot.cli._terminal import say
from diswot.devices import is_first
from diswot.progress import Progress, Step, silent

SECONDS_BETWEEN_LINES = 10

Display: TypeAlias = AbstractContextManager[Progress]
"""Shows progress while the block lasts."""


@contextmanager
def displayed_progress() -> Iterator[Progress]:
    """Show progress inside the block; of several processes only rank 0 shows it."""
    if not is_first():
        yield silent
        return
    if not can_be_drawn():
        with waiting(_Lines().report) as report:
            yield report
        return
    with drawn() as report:
        yield report


@contextmanager
def tracked_progress(trackers: Sequence[str] | None, folder: Path) -> Iterator[Progress]:
    """Show progress, and send what is measured to trackers.

    Args:
        trackers: their names; `None` for none.
        folder: the run folder.
    """
    with displayed_progress() as display, tracked(trackers, folder, display) as progress:
        yield progress


@contextmanager
def tracked(trackers: Sequence[str] | None, folder: Path, progress: Progress) -> Iterator[Progress]:
    """Send what is measured to trackers, and all steps to `progress`.

    Args:
        trackers: their names; `None` for none.
        folder: the run folder.
        progress: receives the steps.
    """
    if not trackers:
        yield progress
        return
    from diswot.tracking import track

    with track(trackers, folder, progress) as report:
        yield report


class _Lines:
    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._reported: dict[str, float] = {}
        self._done: dict[str, int] = {}

    def report(self, step: Step) -> None:
        if step.total == 0:
            say(f"{step.stage}: {step.note}", err=True)
            return
        now = time.monotonic()
        if step.done < self._done.get(step.stage, 0):  # the stage has started again
            del self._started[step.stage]
        self._done[step.stage] = step.done
        started = self._started.setdefault(step.stage, now)
        due = now - self._reported.get(step.stage, started) >= SECONDS_BETWEEN_LINES
        ended = step.done == step.total and now - started >= SECONDS_WORTH_A_LINE
        if not (due or ended):
            return
        self._reported[step.stage] = now
        spent = now - started
        left = spent / step.done * (step.total - step.done) if step.done else 0
        say(
            f"{step.stage}: {step.done}/{step.total} in {spent:.0f} s, "
            f"{left:.0f} s left; {step.note}",
            err=True,
        )
