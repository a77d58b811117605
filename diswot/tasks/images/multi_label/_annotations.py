"""Files that name the labels of images: CSV and JSON Lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.csv_table import Table, excerpt, read_csv, read_text
from diswot.errors import DataError
from diswot.tasks._json_lines import json_lines
from diswot.tasks._names import named
from diswot.tasks._split_names import check_unambiguous, split_names

SUFFIXES = (".csv", ".jsonl")
IMAGE_COLUMNS = (
    "image",
    "file_name",
    "filename",
    "file",
    "path",
    "image_path",
    "image_name",
    "img",
)
LABEL_COLUMNS = ("labels", "label", "tags", "classes")
SPLIT = "split"
CLASSES_FILE = "classes.txt"
_SEPARATORS = (";", "|", ",")
_FLAGS = {"0": False, "1": True, "false": False, "true": True, "": False}


@dataclass(frozen=True)
class Annotation:
    """An image file with its labels.

    Attributes:
        path: path of the image file.
        labels: names of its labels, possibly none.
        split: split that its line names; empty if it names none.
        place: file and line, for messages.
    """

    path: Path
    labels: tuple[str, ...]
    split: str
    place: str


@dataclass(frozen=True)
class Annotations:
    """The images of a dataset with their labels.

    Attributes:
        root: folder of the images.
        splits: split → annotations; only `train` if they are not split.
        classes: names of all labels; `None` if they are those that occur.
        notes: how labels were read, as text.
    """

    root: Path
    splits: Mapping[str, Sequence[Annotation]]
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


def read_annotations(path: Path) -> Annotations:
    """Read the labels of images from a file, or from the files of a folder.

    A folder has one file, or one for each split: `train.csv` and `test.csv`, or one in each of
    the folders `train/` and `test/`. Paths of images are relative to their file. A file
    `classes.txt` next to them, with a name on each line, declares the labels.

    Raises:
        DataError: there is no such file, or a line is not valid; the message names it.
    """
    files = _files(path)
    root = path if path.is_dir() else path.parent
    read: dict[str, list[Annotation]] = {}
    notes: dict[str, None] = {}
    columns: tuple[str, ...] | None = None
    for split, file in files.items():
        read[split], known, note = _read_file(file)
        columns = columns or known
        notes |= dict.fromkeys([note] if note else [])
    joined = {split: _joined(items, notes) for split, items in read.items()}
    splits = _by_line(joined[""], path) if "" in joined else joined
    listed = root / CLASSES_FILE
    if listed.is_file():
        columns = tuple(line.strip() for line in read_text(listed).splitlines() if line.strip())
    return Annotations(root, splits, columns, tuple(notes))


def _files(path: Path) -> dict[str, Path]:
    """Return split → file; the split is empty if lines may name their splits."""
    expected = "a .csv or .jsonl file that names images and their labels, or a folder with one"
    if path.suffix.lower() in SUFFIXES:
        return {"": path}
    if not path.is_dir():
        raise DataError(f"there is no {path}: give {expected}")
    found = _files_in(path)
    by_name = {item.stem: item for item in found}
    if not found:
        inner = {item.name: _files_in(item) for item in sorted(path.iterdir()) if item.is_dir()}
        by_name = {name: files[0] for name, files in inner.items() if len(files) == 1}
    meant = split_names(by_name)
    if by_name and set(meant) == set(by_name):
        known = check_unambiguous(meant, str(path))
        if "train" not in known:
            raise DataError(f"{path} has {named(sorted(by_name))} but no training images")
        return {split: by_name[name] for split, name in known.items()}
    if len(found) == 1:
        return {"": found[0]}
    if found:
        raise DataError(
            f"{path} has {named([item.name for item in found])}: name one of them, or name them "
            "train, val and test"
        )
    raise DataError(f"{path} has no .csv or .jsonl file: give {expected}")


def _files_in(folder: Path) -> list[Path]:
    return [item for item in sorted(folder.iterdir()) if item.suffix.lower() in SUFFIXES]


def _read_file(file: Path) -> tuple[list[Annotation], tuple[str, ...] | None, str]:
    """Return annotations, the names of label columns if there are any, and a note."""
    if file.suffix.lower() == ".jsonl":
        lines = json_lines(read_text(file), str(file))
        return [_annotation(row, file, place) for place, row in lines], None, ""
    table = read_csv(file)
    image = _column(table.columns, IMAGE_COLUMNS, file, "image")
    labels = next((name for name in LABEL_COLUMNS if name in table.columns), None)
    if labels is None:
        return _from_columns(table, image)
    cells = table.column(labels)
    separator = next((each for each in _SEPARATORS if any(each in cell for cell in cells)), ";")
    rows = (dict(zip(table.columns, row, strict=True)) for row in table.rows)
    annotations = [
        _annotation({**row, labels: row[labels].split(separator)}, file, f"{file}, line {line:,}")
        for line, row in zip(table.lines, rows, strict=True)
    ]
    return annotations, None, f"labels of {file.name} are separated by {separator!r}"


def _from_columns(table: Table, image: str) -> tuple[list[Annotation], tuple[str, ...], str]:
    """Read a table with a column of zeros and ones for each label."""
    names = tuple(name for name in table.columns if name not in (image, SPLIT))
    if not names:
        raise DataError(
            f"{table.path} has no labels: add a column labels, or one of 0 and 1 for each label"
        )
    annotations = []
    for index, cells in enumerate(table.rows):
        row = dict(zip(table.columns, cells, strict=True))
        if bad := [name for name in names if row[name].strip().lower() not in _FLAGS]:
            raise table.error(
                index,
                f"expected 0 or 1 in the column {excerpt(bad[0])}, but got {excerpt(row[bad[0]])}: "
                "correct it, or name the column of the labels 'labels'",
            )
        present = [name for name in names if _FLAGS[row[name].strip().lower()]]
        place = f"{table.path}, line {table.lines[index]:,}"
        annotations.append(_annotation({**row, "labels": present}, table.path, place))
    return annotations, names, f"labels of {table.path.name} are its columns of 0 and 1"


def _annotation(row: Mapping[str, Any], file: Path, place: str) -> Annotation:
    """Check a line and return it as an annotation."""
    image = row[_column(tuple(row), IMAGE_COLUMNS, place, "image")]
    labels = row[_column(tuple(row), LABEL_COLUMNS, place, "labels")]
    if not isinstance(image, str) or not image.strip():
        raise DataError(f"{place}: expected the path of an image, but got {excerpt(repr(image))}")
    if not isinstance(labels, list):
        raise DataError(
            f"{place}: expected a list of labels, but got {excerpt(repr(labels))}: write [] for "
            "an image without labels"
        )
    for label in labels:
        if isinstance(label, bool) or not isinstance(label, str | int):
            raise DataError(
                f"{place}: expected labels as names or whole numbers, but got "
                f"{excerpt(repr(label))}"
            )
    names = tuple(dict.fromkeys(text for label in labels if (text := str(label).strip())))
    return Annotation(file.parent / image.strip(), names, str(row.get(SPLIT) or ""), place)


def _column(columns: Sequence[str], names: Sequence[str], where: Path | str, what: str) -> str:
    found = next((name for name in names if name in columns), None)
    if found is None:
        has = ", ".join(map(repr, columns[:8])) or "nothing"
        raise DataError(
            f"{where}: no column of {has} is a known name for the {what}: name it {names[0]}"
        )
    return found


def _joined(items: Sequence[Annotation], notes: dict[str, None]) -> list[Annotation]:
    """Join lines that name the same image."""
    results: dict[Path, Annotation] = {}
    for item in items:
        before = results.get(item.path)
        if before is not None and before.split != item.split:
            raise DataError(
                f"{item.place}: {item.path.name} is already in the split {before.split!r} "
                f"({before.place}): keep it in one"
            )
        labels = (*(before.labels if before else ()), *item.labels)
        results[item.path] = Annotation(
            item.path, tuple(dict.fromkeys(labels)), item.split, item.place
        )
    if len(results) < len(items):
        notes[f"lines of the same image joined: {len(items) - len(results):,}"] = None
    return list(results.values())


def _by_line(items: Sequence[Annotation], path: Path) -> dict[str, list[Annotation]]:
    """Group annotations by the splits that their lines name."""
    if not items:
        raise DataError(f"{path} is empty: expected lines with an image and its labels")
    names = {item.split for item in items}
    if names == {""}:
        return {"train": list(items)}
    meant = split_names(names)
    if strange := sorted(names - set(meant)):
        raise DataError(
            f"{path} names the split {excerpt(strange[0])}: write train, val or test in every line"
        )
    known = check_unambiguous(meant, str(path))
    if "train" not in known:
        raise DataError(f"{path} has no line of the split train: name the training images so")
    return {split: [item for item in items if item.split == name] for split, name in known.items()}
