"""Labeled texts by name, in files, or made by the user."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError, UnknownNameError, first_line
from diswot.options import takes_options
from diswot.progress import Progress, news, silent
from diswot.references import is_reference, resolve
from diswot.tasks._root import cache_root, data_root
from diswot.tasks._source import NamedData
from diswot.tasks._split_names import check_unambiguous, split_names
from diswot.tasks.text._embedded import LENGTH, python_docs
from diswot.tasks.text._options import VOCABULARY, TextOptions
from diswot.tasks.text._reading import SUFFIXES, Labeled, Splits, labeled, read_texts
from diswot.tasks.text._text_data import TextData
from diswot.tasks.text._tokenized import tokenized

DATASETS: Mapping[str, str] = {
    "python-docs": "sentences of Python's documentation: 12 packages, always there",
}
"""Built-in datasets."""

NAMED_DATA = NamedData(DATASETS, SUFFIXES)
"""Texts that stand for built-in datasets, files and folders, and never for code."""


@takes_options
def check_texts(data: Any, **options: Unpack[TextOptions]) -> None:  # noqa: ARG001  (checked)
    """Raise what can be said of texts that are asked for before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has a value that it cannot have, or data are of another kind.
    """
    if isinstance(data, TextData | Path | Mapping | list | tuple):
        return
    if not isinstance(data, str):
        raise OptionError(
            "Expected texts as a name, a file, a folder, package.module:callable, TextData or "
            f"pairs of a text and a label, but got {type(data).__name__}"
        )
    if not NAMED_DATA.is_path(data) and not is_reference(data) and data not in DATASETS:
        also = f" (or give a {' or '.join(SUFFIXES)} file, a folder, or package.module:callable)"
        raise UnknownNameError("dataset of texts", data, DATASETS, also=also)


@takes_options
def load_texts(
    data: Any,
    *,
    root: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[TextOptions],
) -> TextData:
    """Return the texts that are meant.

    Args:
        data: a built-in name; a `.csv` or `.jsonl` file, or a folder, as a path or as text that
            is one; pairs of a text and a label, or a mapping of such by split;
            `package.module:callable`, which returns pairs or a `TextData`; or one itself.
        root: the data root, where tokenizers are kept; by default the variable `DISWOT_DATA`,
            else the user's cache.
        progress: receives what was inferred.
        **options: see `TextOptions`.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has a value that it cannot have, or is given with a `TextData`.
        DataError: the texts are missing, damaged or unfit.
        MissingExtraError: `tokenizers` is not installed.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as root:
        ...     print(load_texts("python-docs", root=root).summary())
        python-docs: 3,299 train, 517 val, 877 test texts of up to 32 tokens (2,000 different),
        12 classes
    """
    check_texts(data, **options)
    name, found, notes = _found(data)
    if isinstance(found, TextData):
        _check_tokenized(found, options)
        return found
    length = options.get("length")
    made = tokenized(
        name,
        found,
        length=LENGTH if length is None and data == "python-docs" else length,
        vocabulary=options.get("vocabulary", VOCABULARY),
        kept_in=cache_root(data_root(root)) / "tokenizers",
        notes=notes,
    )
    for note in made.notes:
        progress(news("data", note, can_wait=name in DATASETS))
    return replace(made, source=NAMED_DATA.source(data, root, **options))


def _check_tokenized(data: TextData, options: Mapping[str, Any]) -> None:
    """Make sure that options are those with which texts were tokenized.

    Raises:
        OptionError: one is another.
    """
    made_with = {} if data.source is None else data.source.options
    known = {**made_with, "length": data.length}
    for name, value in options.items():
        if value is not None and value != known.get(name):
            raise OptionError(f"{data.name} is tokenized already: leave {name} {value} out")


def _found(data: Any) -> tuple[str, Splits | TextData, tuple[str, ...]]:
    """Return the name of data, their texts by split, and what is to be noted of them."""
    if isinstance(data, Path) or (isinstance(data, str) and NAMED_DATA.is_path(data)):
        path = Path(os.path.expanduser(data))  # noqa: PTH111  (Path raises if no such user is)
        if not path.exists():
            raise DataError(f"there is no {path}: name a file or a folder of labeled texts")
        texts, notes = read_texts(path)
        return path.resolve().stem, texts, notes
    if data == "python-docs":
        return data, python_docs(), ()
    name = data if isinstance(data, str) else type(data).__name__
    given = _called(data) if isinstance(data, str) else data
    if isinstance(given, TextData):
        return given.name, given, ()
    return name, _given(given, name), ()


def _given(given: Any, name: str) -> Splits:
    """Return pairs of texts and labels by split."""
    by_split = given if isinstance(given, Mapping) else {"train": given}
    meant = split_names(map(str, by_split))
    if "train" not in meant.values() or len(meant) < len(by_split):
        raise DataError(
            f"{name} has the keys {', '.join(map(repr, by_split))}: give train, and val and test "
            "if there are such"
        )
    return {
        split: _pairs(by_split[key], f"{name} ({key})")
        for split, key in check_unambiguous(meant, name).items()
    }


def _pairs(given: Any, where: str) -> list[Labeled]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise DataError(f"{where}: expected a list of pairs (text, label), but got {given!r:.40}")
    found = []
    for number, pair in enumerate(given):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DataError(f"{where}: expected a pair (text, label), but got {pair!r:.40}")
        found.append(labeled(*pair, place=f"{where}, item {number:,}"))
    return found


def _called(reference: str) -> Any:
    make = resolve(reference, kind="dataset")
    try:
        return make()
    except Exception as error:
        raise DataError(
            f"dataset {reference}: calling it raised {type(error).__name__}: "
            f"{first_line(error)}; fix the callable"
        ) from error
