"""Readers of landmark files: `.pts` as of 300-W, and CSV."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diswot.errors import DataError

MOST_POINTS = 10_000


def read_pts(path: Path) -> NDArray[np.float64]:
    """Read the points (M, 2) of a `.pts` file, in pixels from the upper left corner.

    The format counts pixels from 1, as Matlab does; here the first is 0.

    Raises:
        DataError: the file is no `.pts` file, a point is missing or not finite.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}): give a .pts file") from error
    words = [line.strip() for line in lines]
    try:
        first, last = words.index("{"), words.index("}")
        named = dict(line.split(":", 1) for line in words[:first] if ":" in line)
        count = int(named["n_points"])
    except (ValueError, KeyError) as error:
        raise DataError(
            f"{path} is not a .pts file: expected 'n_points: N', then a point a line between braces"
        ) from error
    points = [_point(path, number, words[number]) for number in range(first + 1, last)]
    if len(points) != count or not 1 <= count <= MOST_POINTS:
        raise DataError(f"{path} declares {count} points but has {len(points)}: fix the file")
    # From Matlab's indices, which start at 1.
    return np.array(points) - 1


def _point(path: Path, line: int, text: str) -> tuple[float, float]:
    try:
        x, y = map(float, text.split())
    except ValueError as error:
        raise DataError(
            f"{path}, line {line + 1}: expected 'x y', but got {text[:40]!r}"
        ) from error
    if not (math.isfinite(x) and math.isfinite(y)):
        raise DataError(f"{path}, line {line + 1}: the point is not finite ({text[:40]!r})")
    return x, y


@dataclass(frozen=True, eq=False)
class Annotation:
    """The row of an image in a CSV.

    Attributes:
        points: points in pixels, shape (M, 2).
        person: name of the person, if the CSV has that column.
    """

    points: NDArray[np.float64]
    person: str | None = None


def read_csv(path: Path) -> dict[str, Annotation]:
    """Read a CSV of landmarks: an image's path, then x and y of each point, in pixels.

    The first line names the columns. If the second is called `person`, it says who an image
    shows; of the other names only their number is read.

    Returns:
        The points (M, 2) of each image, by its path as written.

    Raises:
        DataError: a line has another number of columns, a point is missing or not finite, or
            an image appears twice.
    """
    results: dict[str, Annotation] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            header = next(rows, [])
            first = 2 if [name.strip().lower() for name in header[1:2]] == ["person"] else 1
            if len(header) < first + 2 or (len(header) - first) % 2:
                raise DataError(
                    f"{path}: expected the columns image, x0, y0, x1, y1, … (and person after "
                    f"image, where known), but got {len(header)} columns"
                )
            for row in rows:
                results |= _row(path, rows.line_num, row, len(header), first, results)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read ({error}): give a CSV of landmarks") from error
    if not results:
        raise DataError(f"{path} holds no image: expected a line for each")
    return results


def _row(
    path: Path,
    line: int,
    row: list[str],
    columns: int,
    first: int,
    known: Mapping[str, Annotation],
) -> dict[str, Annotation]:
    where = f"{path}, line {line}"
    if len(row) != columns:
        raise DataError(f"{where}: expected {columns} columns, but got {len(row)}")
    if row[0] in known:
        raise DataError(f"{where}: the image {row[0]!r} appears twice")
    try:
        numbers = np.array([float(text) for text in row[first:]])
    except ValueError as error:
        raise DataError(f"{where}: a point is missing or not a number ({error})") from error
    if not np.isfinite(numbers).all():
        raise DataError(f"{where}: a point is not finite")
    return {row[0]: Annotation(numbers.reshape(-1, 2), row[1] if first == 2 else None)}
