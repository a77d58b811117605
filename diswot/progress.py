"""Progress reports of long-running work; the command line draws them as bars."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Step:
    """A progress report.

    Attributes:
        stage: what is in progress, such as "score" or "train".
        done: how many units of the stage have finished.
        total: how many units it has; 0 for a message, whose text is `note`, and for values that
            were measured at the end of a stage.
        note: result of the last unit, or the text of a message.
        can_wait: whether the message may be dropped if an error follows at once.
        values: what was measured, by name; progress bars ignore it, trackers store it.
        at: position of `values` on the x axis: the number of a candidate, or an epoch.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    can_wait: bool = False
    values: Mapping[str, float] = field(default_factory=dict)
    at: int = 0


def message(stage: str, note: str, *, can_wait: bool = False) -> Step:
    """Return a step that only carries a message."""
    return Step(stage, 0, 0, note, can_wait)


def measured(stage: str, values: Mapping[str, float], *, at: int) -> Step:
    """Return a step that only carries measured values."""
    return Step(stage, 0, 0, values=values, at=at)


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Report nothing."""


def tracked(items: Iterable[_T], progress: Progress, stage: str, total: int) -> Iterator[_T]:
    """Yield `items`, and report progress after each.

    Args:
        items: what is processed by the caller's loop.
        progress: receives the reports.
        stage: name of the stage.
        total: number of items.
    """
    progress(Step(stage, 0, total))
    for done, item in enumerate(items, start=1):
        yield item
        progress(Step(stage, done, total))
