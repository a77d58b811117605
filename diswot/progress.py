"""How long work reports its progress; the command line turns this into bars."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Step:
    """`done` of `total` units of `stage` are finished; `note` says what came of the last.

    A step of no units is a message: `note` is its text. What `can_wait` need not be printed if
    nothing follows.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    can_wait: bool = False


def message(stage: str, note: str, *, can_wait: bool = False) -> Step:
    """Return a step that only carries a message."""
    return Step(stage, 0, 0, note, can_wait)


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Report nothing."""


def tracked(items: Iterable[_T], progress: Progress, stage: str, total: int) -> Iterator[_T]:
    """Go through `items`, and report each to `progress`."""
    progress(Step(stage, 0, total))
    for done, item in enumerate(items, start=1):
        yield item
        progress(Step(stage, done, total))
