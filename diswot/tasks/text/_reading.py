"""Readers of labeled texts: CSV, JSON Lines, and folders of text files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from diswot.csv_table import excerpt, read_csv, read_text
from diswot.errors import DataError
from diswot.tasks._json_lines import check_columns, json_lines
from diswot.tasks._names import named
from diswot.tasks._split_names import check_unambiguous, split_names

SUFFIXES = (".csv", ".jsonl")
"""Suffixes of files with a text and a label on each line."""

TEXT, LABEL, SPLIT = "text", "label", "split"
"""Columns of such files; `split` is optional."""

_EXPECTED = "a .csv or .jsonl file with text and label, or a folder of text files for each class"


class Labeled(NamedTuple):
    """A text and the name of its class."""

    text: str
    label: str


Splits: TypeAlias = dict[str, list[Labeled]]
"""Split → labeled texts; texts that are not split yet are `train`."""


def read_texts(path: Path) -> tuple[Splits, tuple[str, ...]]:
    """Read labeled texts.

    A file has one text per line, with its label and optionally its split. A folder has
    such files named as splits (`train.csv`, `test.csv`), or a folder of `.txt` files for each
    class, or split folders (`train/`, `test/`) with such.

    Returns:
        The texts by split, and notes on what was left out.

    Raises:
        DataError: `path` is none of these, or a text, label or file is invalid.
    """
    if path.is_dir():
        try:
            return _of_folder(path)
        except OSError as error:
            raise DataError(f"{error.filename} cannot be read ({error.strerror})") from error
    if path.suffix.lower() == ".txt" and path.exists():
        raise DataError(
            f"{path} is plain text without labels: give {_EXPECTED}; --method supernet also trains "
            "on plain text, with --supernet-texts"
        )
    if path.suffix.lower() not in SUFFIXES and path.exists():
        raise DataError(f"{path} is not a file of labeled texts: give {_EXPECTED}")
    return _by_split(_of_file(path), path), ()


def parse_lines(text: str, where: str) -> Splits:
    """Read the lines of a `.jsonl` file.

    Raises:
        DataError: a line is not a JSON object with text and label.
    """
    return _by_split(json_lines(text, where, (TEXT, LABEL)), Path(where))


def _of_file(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (place for messages, columns) of each row."""
    if path.suffix.lower() != ".csv":
        yield from json_lines(read_text(path), str(path), (TEXT, LABEL))
        return
    table = read_csv(path)
    check_columns(str(path), table.columns, (TEXT, LABEL))
    for line, row in zip(table.lines, table.rows, strict=True):
        yield f"{path}, line {line:,}", dict(zip(table.columns, row, strict=True))


def _by_split(rows: Iterator[tuple[str, Mapping[str, Any]]], path: Path) -> Splits:
    """Group rows by their column `split`; without it all are training texts."""
    results: Splits = {}
    for place, row in rows:
        split = row.get(SPLIT) or ""
        results.setdefault(str(split), []).append(labeled(row[TEXT], row[LABEL], place=place))
    if not results:
        raise DataError(f"{path} is empty: expected lines with {TEXT} and {LABEL}")
    if set(results) == {""}:
        return {"train": results[""]}
    meant = split_names(results)
    if strange := sorted(set(results) - set(meant)):
        raise DataError(
            f"{path} names the split {excerpt(strange[0])}: write train, val or test in every line"
        )
    return _with_training(check_unambiguous(meant, str(path)), results, str(path))


def labeled(text: Any, label: Any, *, place: str) -> Labeled:
    """Check a text and its label, and return them as `Labeled`.

    Raises:
        DataError: one is empty, or has the wrong type.
    """
    if not isinstance(text, str):
        raise DataError(
            f"{place}: expected a text, but got {excerpt(repr(text))}: put it in quotes"
        )
    if isinstance(label, bool | float) or not isinstance(label, str | int):
        raise DataError(
            f"{place}: expected a label as a name or a whole number, but got {excerpt(repr(label))}"
        )
    for name, value in ((TEXT, text), (LABEL, str(label))):
        if not value.strip():
            raise DataError(f"{place}: the {name} is empty: fill it in, or leave the line out")
    return Labeled(text, str(label).strip())


def _with_training(by_split: Mapping[str, str], splits: Splits, where: str) -> Splits:
    if "train" not in by_split:
        raise DataError(
            f"{where} has {named(sorted(splits))} but no training texts: name their split train"
        )
    return {split: splits[name] for split, name in by_split.items()}


def _of_folder(folder: Path) -> tuple[Splits, tuple[str, ...]]:
    files = [path for path in _visible(folder) if path.suffix.lower() in SUFFIXES]
    folders = [path for path in _visible(folder) if path.is_dir()]
    if files:
        return _of_split_files(folder, files), ()
    if not folders:
        raise DataError(f"{folder} has no texts: give {_EXPECTED}")
    by_name = {path.name: path for path in folders}
    meant = split_names(by_name)
    if not meant:
        texts, notes = _of_class_folders(folder)
        return {"train": texts}, notes
    if strange := sorted(set(by_name) - set(meant)):
        raise DataError(
            f"{folder} has {named(sorted(meant))} as splits, and also {named(strange)}: move "
            f"what is not a split out of it"
        )
    read = {name: _of_class_folders(by_name[name]) for name in meant}
    splits = {name: texts for name, (texts, _) in read.items()}
    messages = tuple(note for _, notes in read.values() for note in notes)
    return _with_training(check_unambiguous(meant, str(folder)), splits, str(folder)), messages


def _of_split_files(folder: Path, files: list[Path]) -> Splits:
    by_name = {path.stem: path for path in files}
    meant = split_names(by_name)
    if len(by_name) < len(files) or set(meant) != set(by_name):
        raise DataError(
            f"{folder} has {named([path.name for path in files])}: name one file, or name them "
            "train, val and test"
        )
    results = {
        name: [labeled(row[TEXT], row[LABEL], place=place) for place, row in _of_file(path)]
        for name, path in by_name.items()
    }
    for name, texts in results.items():
        if not texts:
            raise DataError(f"{by_name[name]} is empty: expected lines with {TEXT} and {LABEL}")
    return _with_training(check_unambiguous(meant, str(folder)), results, str(folder))


def _of_class_folders(folder: Path) -> tuple[list[Labeled], tuple[str, ...]]:
    """Return the texts of class folders, one per `.txt` file at any depth, and notes."""
    results: list[Labeled] = []
    others = 0
    for place in filter(Path.is_dir, _visible(folder)):
        before = len(results)
        for path in sorted(place.rglob("*")):
            if path.is_dir() or any(part[0] == "." for part in path.relative_to(place).parts):
                continue
            if path.suffix.lower() != ".txt":
                others += 1
                continue
            results.append(labeled(read_text(path), place.name, place=str(path)))
        if len(results) == before:
            raise DataError(f"the class folder {place} has no .txt files: add some, or remove it")
    if not results:
        raise DataError(f"{folder} has no texts: give {_EXPECTED}")
    return results, (f"files other than .txt in {folder} left out: {others:,}",) * bool(others)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
