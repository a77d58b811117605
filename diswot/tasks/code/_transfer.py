"""Programs of other classes, encoded for a student that was exported."""

import json
from collections.abc import Collection
from pathlib import Path

from diswot.errors import DataError, first_line
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._encoding import encoded
from diswot.tasks.code._reading import read_programs
from diswot.tasks.code._vocabulary import read_vocabulary


def programs_for_student(
    folder: str | Path,
    path: str | Path,
    *,
    vulnerabilities: Collection[str] = (),
    max_unparsed: float = 0.1,
) -> CodeData:
    """Return labeled programs with the vocabulary and length of an exported student.

    Args:
        folder: folder of the exported student.
        path: file or folder of the programs, see `read_programs`.
        vulnerabilities: those to read; by default all.
        max_unparsed: largest fraction of programs that cannot be parsed.

    Raises:
        DataError: the folder is not an exported student of source code, or the programs cannot be
            read.
        MissingExtraError: the parser of Solidity is not installed.
    """
    config = Path(folder) / "config.json"
    try:
        steps = json.loads(config.read_text("utf-8"))["preprocessing"]
        length, vocabulary = int(steps["length"]), Path(folder) / steps["vocabulary"]
        masked = bool(steps["masked"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{config} does not describe an exported student of source code ({first_line(error)}): "
            "name the folder of one"
        ) from error
    programs, notes = read_programs(
        Path(path), vulnerabilities=vulnerabilities, max_unparsed=max_unparsed
    )
    tokens = read_vocabulary(vocabulary)
    return encoded(
        Path(path).stem,
        programs,
        length=length,
        vocabulary=len(tokens),
        tokens=tokens,
        masked=masked,
        notes=notes,
    )
