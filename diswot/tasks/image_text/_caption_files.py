"""Files of captions: CSV or JSON Lines with an image and its captions on each line."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from diswot.csv_table import excerpt, read_csv, read_text
from diswot.errors import DataError
from diswot.tasks._json_lines import check_columns, json_lines
from diswot.tasks._names import named
from diswot.tasks._split_names import split_names
from diswot.tasks.image_text._collection import Collection, Files, check_classes
from diswot.tasks.image_text._prompts import ClassNames

FILES = ("captions.csv", "captions.jsonl")
"""Names of caption files in a folder of images."""

SUFFIXES = (".csv", ".jsonl")
IMAGE, SPLIT = "image", "split"
_TEST, _VALIDATION = 5, 10
"""One in five captions is for testing, one in ten of the others for validation."""


class _Row(NamedTuple):
    """A line of a caption file."""

    image: Path
    captions: tuple[str, ...]
    split: str
    place: str


def captioned(file: Path, *, languages: Sequence[str] | None) -> Collection:
    """Return the images of a caption file; every different caption is a class.

    Each line has `image`, a path relative to the file; one column for each language, such as
    `en` and `zh`; and optionally `split`. Without splits, a fifth of the captions is held out
    for testing and a tenth of the others for validation.

    Args:
        file: a `.csv` or `.jsonl` file.
        languages: languages of the captions, the one of training first; by default all columns
            other than `image` and `split`.

    Raises:
        DataError: an image is missing, a language is not in the file, a caption is empty, or
            there are too few different captions.
    """
    lines = list(_lines(file))
    if not lines:
        raise DataError(f"{file} is empty: expected lines with {IMAGE} and captions")
    chosen = tuple(languages or (name for name in lines[0][1] if name not in (IMAGE, SPLIT)))
    if not chosen:
        raise DataError(f"{file} has no captions: add a column for each language, such as en")
    rows, notes = _once([_row(line, place, file, chosen) for place, line in lines])
    classes = list(dict.fromkeys(row.captions for row in rows))
    if len(classes) == 1:
        raise DataError(
            f"{file}: all {len(rows):,} images have the caption {excerpt(classes[0][0])}: give "
            "captions that differ"
        )
    by_split = _splits(rows, classes, file)
    groups = {
        "seen": [*dict.fromkeys(r.captions for r in (*by_split["train"], *by_split["val"]))],
        "unseen": [*dict.fromkeys(row.captions for row in by_split["test"])],
    }
    check_classes(len(groups["seen"]), len(groups["unseen"]), file, what="captions")
    seen, unseen = (
        ClassNames({item: tuple(c[i] for c in group) for i, item in enumerate(chosen)}, {})
        for group in groups.values()
    )
    if both := {*groups["seen"]} & {*groups["unseen"]}:
        notes = (*notes, f"captions of test images that students are trained on: {len(both):,}")
    train, val, test = (
        _files(by_split[split], groups["unseen" if split == "test" else "seen"])
        for split in ("train", "val", "test")
    )
    return Collection(file.resolve().parent.name, seen, unseen, train, val, test, notes=notes)


def _lines(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place for messages and the columns of each line."""
    if file.suffix.lower() == ".jsonl":
        yield from json_lines(read_text(file), str(file), (IMAGE,))
        return
    table = read_csv(file)
    check_columns(str(file), table.columns, (IMAGE,))
    for line, cells in zip(table.lines, table.rows, strict=True):
        yield f"{file}, line {line:,}", dict(zip(table.columns, cells, strict=True))


def _row(line: Mapping[str, Any], place: str, file: Path, languages: Sequence[str]) -> _Row:
    """Check a line.

    Raises:
        DataError: it lacks a language, a caption is empty, or its image does not exist.
    """
    check_columns(f"{place} (--languages)", line, languages)
    captions = tuple(str(line[language] or "").strip() for language in languages)
    if not all(captions):
        empty = languages[captions.index("")]
        raise DataError(f"{place}: the caption in {empty} is empty: fill it in, or leave it out")
    image = file.parent / str(line[IMAGE]).strip()
    if not image.is_file():
        raise DataError(f"{place}: there is no image {image}: correct the path")
    return _Row(image, captions, str(line.get(SPLIT) or "").strip(), place)


def _once(rows: Sequence[_Row]) -> tuple[list[_Row], tuple[str, ...]]:
    """Return the first line of every image, and a note on how many were left out."""
    first = list({row.image: row for row in reversed(rows)}.values())[::-1]
    left_out = len(rows) - len(first)
    return first, (f"further captions of the same image left out: {left_out:,}",) * bool(left_out)


def _splits(
    rows: Sequence[_Row], classes: Sequence[tuple[str, ...]], file: Path
) -> dict[str, list[_Row]]:
    """Group lines by split, those that are given or random ones by caption.

    Raises:
        DataError: a split has an unknown name or no images, or only some lines have one.
    """
    given = {row.split for row in rows}
    meant = split_names(given)
    held_out = _held_out(classes) if given == {""} else None
    if held_out is None and (strange := sorted(given - set(meant))):
        raise DataError(
            f"{file} names the split {excerpt(strange[0])}: write train, val or test in every line"
        )
    results: dict[str, list[_Row]] = {"train": [], "val": [], "test": []}
    for row in rows:
        split = meant[row.split] if held_out is None else held_out.get(row.captions, "train")
        results[split].append(row)
    if lacking := [name for name, part in results.items() if not part]:
        raise DataError(f"{file} has no images of the split {named(lacking)}: add some")
    return results


def _held_out(classes: Sequence[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return the split of captions that are held out at random."""
    order = np.random.default_rng(0).permutation(len(classes))
    test = max(1, len(classes) // _TEST)
    val = max(1, (len(classes) - test) // _VALIDATION)
    names = ["test"] * test + ["val"] * val
    return {classes[number]: name for number, name in zip(order, names, strict=False)}


def _files(rows: Sequence[_Row], classes: Sequence[tuple[str, ...]]) -> Files:
    number = {captions: index for index, captions in enumerate(classes)}
    return [(row.image, number[row.captions]) for row in rows]
