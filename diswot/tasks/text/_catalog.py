"""Labeled texts by name, from files, or from users' code."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks._root import cache_root, data_root
from diswot.tasks._split_names import check_unambiguous, split_names
from diswot.tasks._tokenizer import read_tokenizer
from diswot.tasks.text._embedded import LENGTH, python_docs
from diswot.tasks.text._options import VOCABULARY, TextOptions
from diswot.tasks.text._reading import SUFFIXES, Labeled, Splits, labeled, read_texts
from diswot.tasks.text._text_data import TextData
from diswot.tasks.text._tokenized import tokenized

DATASETS = datasets_of("text", {"python-docs": python_docs}, kind="dataset of texts")
"""Name → function that loads the dataset from a data root."""

NAMED_DATA = NamedData(DATASETS, f"a {' or '.join(SUFFIXES)} file, a folder", SUFFIXES)
"""Resolver of names, files, folders and `package.module:callable`."""


@takes_options
def check_texts(data: Any, **options: Unpack[TextOptions]) -> None:  # noqa: ARG001  (checked)
    """Check the name and options of text data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or `data` has the wrong type.
    """
    if isinstance(data, TextData | Path | Mapping | list | tuple):
        return
    if not isinstance(data, str):
        raise OptionError(
            "Expected texts as a name, a file, a folder, package.module:callable, TextData or "
            f"pairs of a text and a label, but got {type(data).__name__}"
        )
    NAMED_DATA.check(data)


@takes_options
def load_texts(
    data: Any,
    *,
    root: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[TextOptions],
) -> TextData:
    """Load labeled texts.

    Args:
        data: a built-in name; the path of a `.csv` or `.jsonl` file, or of a folder; pairs of a
            text and a label, or a mapping from splits to such pairs; `package.module:callable`,
            which returns pairs or a `TextData`; or a `TextData`.
        root: the data root, in which tokenizers are cached; by default the environment variable
            `DISWOT_DATA`, else the user's cache.
        progress: called with inferred properties.
        **options: options of texts, such as `length` in tokens; see `TextOptions`.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or is given with a `TextData`.
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
    name, result, notes = _found(data, root)
    source = NAMED_DATA.source(data, root, **options)
    if isinstance(result, TextData):
        result.check_options(options, done="tokenized")
        return result if source is None else replace(result, source=source)
    length, tokenizer = options.get("length"), options.get("tokenizer")
    given = None if tokenizer is None else read_tokenizer(tokenizer)
    loaded = tokenized(
        name,
        result,
        length=LENGTH if length is None and data == "python-docs" else length,
        vocabulary=options.get("vocabulary", VOCABULARY),
        kept_in=cache_root(data_root(root)) / "tokenizers",
        given=given,
        notes=notes,
    )
    for note in loaded.notes:
        progress(message("data", note, can_wait=name in DATASETS))
    return replace(loaded, source=source)


def _found(data: Any, root: str | Path | None) -> tuple[str, Splits | TextData, tuple[str, ...]]:
    """Return the data's name, texts by split, and notes."""
    if path := NAMED_DATA.path(data):
        if not path.exists():
            raise DataError(f"there is no {path}: name a file or a folder of labeled texts")
        texts, notes = read_texts(path)
        return path.resolve().stem, texts, notes
    name, given = type(data).__name__, data
    if isinstance(data, str):
        name, given = data, NAMED_DATA.made(data, root)
    if isinstance(given, TextData):
        return given.name, given, ()
    return name, _given(given, name), ()


def _given(given: Any, name: str) -> Splits:
    """Return split → labeled texts."""
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
    results = []
    for number, pair in enumerate(given):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise DataError(f"{where}: expected a pair (text, label), but got {pair!r:.40}")
        results.append(labeled(*pair, place=f"{where}, item {number:,}"))
    return results
