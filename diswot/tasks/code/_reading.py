"""Readers of labeled programs: JSON Lines and folders of source files."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.csv_table import excerpt, read_text
from diswot.errors import DataError, MissingExtraError
from diswot.tasks._json_lines import json_lines
from diswot.tasks._names import named
from diswot.tasks._split_names import check_unambiguous, split_names
from diswot.tasks.code._normalization import LANGUAGES, SUFFIXES, language_of, normalized
from diswot.tasks.code._program import NONE, Program, Programs

SOURCE, LABEL, VULNERABILITY = "source", "label", "vulnerability"
SPLIT, GROUP, LANGUAGE = "split", "group", "language"

_EXPECTED = (
    "a .jsonl file with source, label and vulnerability, or a folder of source files for each class"
)


@dataclass(frozen=True)
class Source:
    """Source code before it is parsed.

    Attributes:
        place: where it is, for messages.
        text: the source code.
        language: its language.
        label: name of its class.
        group: its group; empty for none.
        split: its split; empty for none.
    """

    place: str
    text: str
    language: str
    label: str
    group: str = ""
    split: str = ""


def read_programs(
    path: Path, *, vulnerabilities: Collection[str] = (), max_unparsed: float
) -> tuple[Programs, list[str]]:
    """Read labeled programs.

    A `.jsonl` file has one program per line: its `source`, and its `label`, which is 0 or 1 if
    the line also names a `vulnerability`, otherwise the name of a class; and optionally its
    `group`, `split` and `language`. A folder has a folder of `.py`, `.sol` or `.c` files for each
    class, or split folders (`train/`, `test/`) with such.

    Args:
        path: file or folder.
        vulnerabilities: those to read; by default all.
        max_unparsed: largest fraction of programs that cannot be parsed.

    Returns:
        The programs by split, and notes on what was left out.

    Raises:
        DataError: `path` is none of these, a label or line is invalid, or too many programs
            cannot be parsed.
        MissingExtraError: the parser of Solidity is not installed.
    """
    if path.is_dir():
        sources = _of_folder(path)
    elif path.suffix.lower() == ".jsonl":
        sources = _of_file(path, vulnerabilities)
    else:
        raise DataError(f"{path} is not a file of labeled programs: give {_EXPECTED}")
    return _parsed(sources, path, max_unparsed)


def _of_file(path: Path, chosen: Collection[str]) -> list[Source]:
    rows = list(json_lines(read_text(path), str(path), (SOURCE, LABEL)))
    known = sorted({str(row[VULNERABILITY]) for _, row in rows if VULNERABILITY in row})
    if strange := sorted(set(chosen) - set(known)):
        has = f"it has {', '.join(known)}" if known else "its lines name no vulnerability"
        raise DataError(f"{path} has no vulnerability {named(strange)}: {has}")
    results = [
        _source(place, row)
        for place, row in rows
        if not chosen or str(row.get(VULNERABILITY)) in chosen
    ]
    if not results:
        raise DataError(f"{path} is empty: expected lines with {SOURCE} and {LABEL}")
    meant = split_names({item.split for item in results if item.split})
    if any(item.split not in meant for item in results) and any(item.split for item in results):
        wrong = next(item for item in results if item.split not in meant)
        raise DataError(
            f"{wrong.place}: the split is {excerpt(repr(wrong.split))}: write train, val or test "
            "in every line, or in none"
        )
    return results


def _source(place: str, row: Mapping[str, Any]) -> Source:
    text, label, kind = row[SOURCE], row[LABEL], row.get(VULNERABILITY)
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{place}: expected source code, but got {excerpt(repr(text))}")
    if kind is not None:
        if type(label) is not int or label not in (0, 1):
            raise DataError(
                f"{place}: expected the label 0 or 1 for the vulnerability {kind}, but got "
                f"{excerpt(repr(label))}: 1 stands for a vulnerable program"
            )
        label = str(kind) if label else NONE
    elif isinstance(label, bool | float) or not isinstance(label, str | int) or label == "":
        raise DataError(
            f"{place}: expected a label as a name or a whole number, but got {excerpt(repr(label))}"
        )
    language = row.get(LANGUAGE) or language_of(text)
    if language not in LANGUAGES:
        raise DataError(
            f"{place}: the language is {excerpt(repr(language))}: use one of {', '.join(LANGUAGES)}"
        )
    others = (str(row.get(name) or "") for name in (GROUP, SPLIT))
    return Source(place, text, language, str(label), *others)


def _of_folder(folder: Path) -> list[Source]:
    folders = [path for path in _visible(folder) if path.is_dir()]
    if not folders:
        raise DataError(f"{folder} has no programs: give {_EXPECTED}")
    meant = split_names([path.name for path in folders])
    if not meant:
        return [source for path in folders for source in _of_class(path)]
    if strange := sorted({path.name for path in folders} - set(meant)):
        raise DataError(
            f"{folder} has {named(sorted(meant))} as splits, and also {named(strange)}: move what "
            "is not a split out of it"
        )
    return [
        source
        for split in folders
        for path in filter(Path.is_dir, _visible(split))
        for source in _of_class(path, split.name)
    ]


def _of_class(folder: Path, split: str = "") -> list[Source]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    sources = [
        Source(str(path), read_text(path), SUFFIXES[path.suffix.lower()], folder.name, split=split)
        for path in paths
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    ]
    if not sources:
        raise DataError(
            f"the class folder {folder} has no {', '.join(SUFFIXES)} files: add some, or remove it"
        )
    return sources


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _parsed(sources: Iterable[Source], path: Path, most: float) -> tuple[Programs, list[str]]:
    """Return the tokens of programs by split, without those that cannot be parsed."""
    programs: Programs = {}
    failed: list[str] = []
    total = 0
    for total, source in enumerate(sources, 1):  # noqa: B007  (counts them)
        try:
            tokens = normalized(source.text, source.language)
        except ValueError as error:
            failed.append(f"{source.place}: {error}")
            continue
        except ImportError as error:
            raise MissingExtraError("tree_sitter_solidity", "code", "Solidity") from error
        program = Program(tuple(tokens), source.label, source.group)
        programs.setdefault(source.split, []).append(program)
    if len(failed) > most * total:
        raise DataError(
            f"{len(failed):,} of {total:,} programs cannot be parsed, more than the limit of "
            f"{most:.0%} (first {failed[0]}): fix or remove them, or raise --max-unparsed"
        )
    notes = [f"programs that cannot be parsed left out: {len(failed):,} of {total:,}"]
    return _with_training(programs, str(path)), notes * bool(failed)


def _with_training(programs: Programs, where: str) -> Programs:
    if set(programs) <= {""}:
        return {"train": programs.get("", [])}
    by_split = check_unambiguous(split_names(programs), where)
    if "train" not in by_split:
        raise DataError(
            f"{where} has {named(sorted(programs))} but no training programs: name their split "
            "train"
        )
    return {split: programs[name] for split, name in by_split.items()}
