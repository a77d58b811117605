"""How long work tells where it stands; the command line turns this into bars."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Step:
    """`done` of `total` units of `stage` are finished; `note` says what came of the last.

    A step of no units is news: `note` is all that it says. What `can_wait` need not be read if
    nothing follows.
    """

    stage: str
    done: int
    total: int
    note: str = ""
    can_wait: bool = False


def news(stage: str, note: str, *, can_wait: bool = False) -> Step:
    """Return a step that only says something."""
    return Step(stage, 0, 0, note, can_wait)


Progress: TypeAlias = Callable[[Step], None]


def silent(step: Step) -> None:
    """Tell nobody."""


def tracked(items: Iterable[_T], progress: Progress, stage: str, total: int) -> Iterator[_T]:
    """Go through `items`, telling `progress` of each."""
    progress(Step(stage, 0, total))
    for done, item in enumerate(items, start=1):
        yield item
        progress(Step(stage, done, total))
