"""Labeled programs by name, from files, or from users' code."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._embedded import code_patterns
from diswot.tasks.code._encoding import encoded
from diswot.tasks.code._options import MAX_UNPARSED, VOCABULARY, CodeOptions
from diswot.tasks.code._reading import read_programs

PATTERNS = "code-patterns"

DATASETS = datasets_of("code", {PATTERNS: code_patterns}, kind="dataset of programs")
"""Name → function that loads the dataset from a data root."""

NAMED_DATA = NamedData(DATASETS, "a .jsonl file, a folder", (".jsonl",))
"""Resolver of names, files, folders and `package.module:callable`."""


@takes_options
def check_code(data: Any, **options: Unpack[CodeOptions]) -> None:
    """Check the name and options of code data before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or `data` has the wrong type.
    """
    if options.get("vulnerabilities") is not None:
        _chosen(options["vulnerabilities"])
        if isinstance(data, str) and NAMED_DATA.path(data) is None:
            raise OptionError("--vulnerabilities selects lines of a .jsonl file: leave it out")
    if isinstance(data, CodeData | Path):
        return
    if not isinstance(data, str):
        raise OptionError(
            "Expected programs as a name, a .jsonl file, a folder, package.module:callable or "
            f"CodeData, but got {type(data).__name__}"
        )
    NAMED_DATA.check(data)


@takes_options
def load_code(
    data: Any,
    *,
    root: str | Path | None = None,
    progress: Progress = silent,
    **options: Unpack[CodeOptions],
) -> CodeData:
    """Load labeled programs.

    Args:
        data: a built-in name; the path of a `.jsonl` file, or of a folder of source files;
            `package.module:callable`, which returns a `CodeData`; or a `CodeData`.
        root: the data root; by default the environment variable `DISWOT_DATA`, else the user's
            cache.
        progress: called with inferred properties.
        **options: options of code, such as `length` in tokens; see `CodeOptions`.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has an invalid value, or is given with a `CodeData`.
        DataError: the programs are missing, damaged or unfit.
        MissingExtraError: the parser of Solidity is not installed.

    Examples:
        >>> print(load_code("code-patterns").summary())
        code-patterns: 1,449 train, 180 val, 371 test programs of up to 112 tokens (198 different),
        4 classes
    """
    check_code(data, **options)
    result = _found(data, root, options)
    if isinstance(data, CodeData):
        return result
    for note in result.notes:
        progress(message("data", note, can_wait=data in DATASETS))
    return replace(result, source=NAMED_DATA.source(data, root, **options))


def _found(data: Any, root: str | Path | None, options: Mapping[str, Any]) -> CodeData:
    path = NAMED_DATA.path(data)
    given = data
    if path is None and isinstance(data, str):
        given = NAMED_DATA.made(data, root)
    if isinstance(given, CodeData):
        given.check_options(options, done="encoded")
        return given
    notes: list[str] = []
    if path is not None:
        if not path.exists():
            raise DataError(f"there is no {path}: name a .jsonl file or a folder of programs")
        programs, notes = read_programs(
            path,
            vulnerabilities=_chosen(options.get("vulnerabilities")),
            max_unparsed=options.get("max_unparsed", MAX_UNPARSED),
        )
    elif isinstance(given, dict):
        programs = given
    else:
        raise DataError(
            f"dataset {data}: expected it to return diswot.tasks.code.CodeData, but got "
            f"{type(given).__name__}"
        )
    return encoded(
        str(data) if path is None else path.resolve().stem,
        programs,
        length=options.get("length"),
        vocabulary=options.get("vocabulary", VOCABULARY),
        masked=data == PATTERNS,
        notes=notes,
    )


def _chosen(text: str | None) -> tuple[str, ...]:
    """Return the names in a text with commas.

    Raises:
        OptionError: it has an empty or a repeated name.
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise OptionError(
            f"Expected vulnerabilities as different names with commas between, but got {text!r}"
        )
    return names
