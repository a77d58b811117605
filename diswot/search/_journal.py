"""The journal of a run: one line per evaluated candidate, written before the engine goes on."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from diswot.data import ImageSpec
from diswot.errors import RunFolderError
from diswot.search._candidate import Candidate
from diswot.search._costs import Costs
from diswot.students import build_student
from search_spaces import SearchSpace

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
        line = {"schema": SCHEMA} | candidate_to_line(candidate)
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
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, text in enumerate(lines, start=1):
            try:
                line = json.loads(text)
                if line["schema"] != SCHEMA:
                    raise ValueError(f"schema {line['schema']}, expected {SCHEMA}")
                yield candidate_from_line(line, space, images)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise RunFolderError(
                    f"line {number} of {path} is damaged ({error!r}): restore it from a copy"
                ) from error


def candidate_to_line(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as plain values."""
    return {
        "architecture": candidate.name,
        "key": candidate.key,
        "params": candidate.params,
        "macs": candidate.macs,
        "terms": {name: list(values) for name, values in candidate.terms.items()},
        "seconds": candidate.seconds,
        "failure": candidate.failure,
        "score": candidate.score,
    }


def candidate_from_line(
    line: Mapping[str, Any], space: SearchSpace | None, images: ImageSpec
) -> Candidate:
    """Return the candidate that `candidate_to_line` wrote; it can be built if `space` is given."""
    arch = None if space is None else space.from_string(line["architecture"])
    return Candidate(
        architecture=arch,
        name=line["architecture"],
        key=line["key"],
        costs=Costs(line["params"], line["macs"]),
        terms={name: tuple(values) for name, values in line["terms"].items()},
        seconds=line["seconds"],
        failure=line["failure"],
        score=line.get("score"),
        builder=None if space is None else partial(build_student, space, arch, images),
    )
