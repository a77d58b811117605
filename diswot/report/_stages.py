"""Draw the stages of a network as boxes, with height by resolution and depth by channels."""

import math
from dataclasses import dataclass

from diswot.report._network import Drawing, Stage

HIGHEST, LOWEST = 76.0, 5.0
WIDEST = 120.0
"""Maximal width of all boxes of a stage together."""

SLANT = 0.35
"""Depth of a box in perspective, as a fraction of its height."""


@dataclass(frozen=True)
class Box:
    """The box of one block: front, top and side as points of SVG polygons."""

    front: str
    top: str
    side: str


@dataclass(frozen=True)
class Card:
    """The boxes of a stage in an SVG of `width` × `height`; `stage` is `None` for the input."""

    stage: Stage | None
    title: str
    boxes: tuple[Box, ...]
    width: float
    height: float


def cards(drawing: Drawing) -> list[Card]:
    """Return a card for the input and for each stage, in order of execution."""
    image = Stage(drawing.given, ())
    largest = max(stage.side for stage in (image, *drawing.stages))
    cards: list[tuple[Stage | None, Stage]] = [(None, image), *((s, s) for s in drawing.stages)]
    return [_card(stage, shape, largest) for stage, shape in cards]


def _card(stage: Stage | None, shape: Stage, largest: int) -> Card:
    count = max(1, shape.depth)
    height = max(LOWEST, HIGHEST * shape.side / largest)
    back = SLANT * height
    pitch = min(1.6 * math.sqrt(shape.channels) + 5, WIDEST / count)
    thick = max(1.5, 0.75 * pitch)
    top = (1 + SLANT) * HIGHEST - height  # all boxes have the same bottom line
    boxes = tuple(_box(index * pitch + 1, top, thick, height, back) for index in range(count))
    width = (count - 1) * pitch + thick + back + 2
    return Card(stage, str(shape), boxes, round(width, 1), round((1 + SLANT) * HIGHEST + 2, 1))


def _box(x: float, y: float, thick: float, height: float, back: float) -> Box:
    left, right, up, down = x, x + thick, y, y + height
    front = [(left, up), (right, up), (right, down), (left, down)]
    top = [(left, up), (left + back, up - back), (right + back, up - back), (right, up)]
    side = [(right, up), (right + back, up - back), (right + back, down - back), (right, down)]
    return Box(*(" ".join(f"{a:.1f},{b + 1:.1f}" for a, b in face) for face in (front, top, side)))
