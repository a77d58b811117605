"""The journal of a run: one line per evaluated candidate, written before the engine goes on."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from diswot.costs import Costs
from diswot.data import ImageSpec
from diswot.errors import RunFolderError
from diswot.search._candidate import Candidate
from diswot.students import build_student
from search_spaces import SearchSpace

_T = TypeVar("_T")

SCHEMA = 1
NAME = "journal.jsonl"


class Journal:
    """Appends candidates to the journal in a run folder; what is appended is on disk."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / NAME).open("a", encoding="utf-8")

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, candidate: Candidate) -> None:
        """Write one candidate."""
        line = {"schema": SCHEMA} | candidate.to_json()
        del line["score"]  # it can depend on candidates to come
        self._file.write(json.dumps(line, allow_nan=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journal(folder: Path, space: SearchSpace | None, images: ImageSpec) -> Iterator[Candidate]:
    """Read the candidates back, in the order of their evaluation.

    Raises:
        RunFolderError: the journal is missing or a line is damaged; the message names it.
    """
    path = folder / NAME
    if not path.exists():
        raise RunFolderError(f"{folder} is no run folder: it has no {NAME}")
    with path.open("rb") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                line = json.loads(text.decode("utf-8"))
                if line["schema"] != SCHEMA:
                    raise ValueError(f"schema {line['schema']}, expected {SCHEMA}")
                yield candidate_from_line(line, space, images)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise RunFolderError(
                    f"line {number} of {path} is damaged ({error!r}): restore it from a copy"
                ) from error


def candidate_from_line(
    line: Mapping[str, Any], space: SearchSpace | None, images: ImageSpec
) -> Candidate:
    """Return the candidate that `to_json` wrote; it can be built if `space` is given."""
    name = _typed(line, "architecture", str)
    arch = None if space is None else space.from_string(name)
    terms = _typed(line, "terms", dict)
    score = line.get("score")
    return Candidate(
        architecture=arch,
        name=name,
        key=_typed(line, "key", str),
        costs=Costs(_typed(line, "params", int), _typed(line, "macs", int)),
        terms={str(term): tuple(map(_number, values)) for term, values in terms.items()},
        seconds=_number(line["seconds"]),
        failure=None if line["failure"] is None else _typed(line, "failure", str),
        score=None if score is None else _number(score),
        builder=None if space is None else partial(build_student, space, arch, images),
    )


def _typed(line: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = line[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no number")
    return float(value)
