"""The journal of a run: one line per evaluated candidate, written before the next proposal."""

import errno
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, TypeVar

from diswot.errors import RunError, RunFolderError, first_line
from diswot.files import open_file
from diswot.networks.costs import Costs
from diswot.runs import JOURNAL, check_line, line_with_checksum
from diswot.search._candidate import Candidate
from diswot.search._spaces import SPACES, find_space
from diswot.students import Fresh, StudentSource
from diswot.tasks import read_signature
from search_spaces import SearchSpace

_T = TypeVar("_T")

SCHEMA = 2

BASELINES = ("largest", "smallest", "random")
"""Labels of the baselines, by parameters; distinct ones are −1, −2, −3 in the journal."""

SYNC_SECONDS = 1.0
"""How long a line may stay in the system's cache before fsync, which takes milliseconds."""


class Journal:
    """Appends candidates to the journal in a run folder.

    Appended lines survive a killed process immediately, and a power failure after about a
    second. The caller must hold the lock of the folder.

    Args:
        folder: the run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL
        self._file: FileIO | None = None
        self._synced = -math.inf

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._write(b"", wait=True)
            self._file.close()

    @property
    def exists(self) -> bool:
        """Whether the journal file exists."""
        return self._path.exists()

    def drop_torn_line(self) -> str:
        """Remove an incomplete last line (of a killed process) and return it; "" if none."""
        content = b""
        if self.exists:
            with open_file(self._path) as lines:
                content = lines.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with self._path.open("r+b") as file:
                file.truncate(whole)
                os.fsync(file.fileno())
        return content[whole:].decode("utf-8", "replace")

    def append(self, number: int, candidate: Candidate) -> None:
        """Append one candidate, without its score, which can depend on other candidates.

        Args:
            number: its place in the order of proposals; below 0 for a baseline.
            candidate: the evaluated candidate.

        Raises:
            RunError: the disk is full or not available.
        """
        line = {"schema": SCHEMA, "number": number} | candidate.to_json()
        del line["score"]
        self._write(line_with_checksum(line), wait=time.monotonic() - self._synced > SYNC_SECONDS)

    def _write(self, text: bytes, *, wait: bool) -> None:
        """Write bytes unbuffered; with `wait`, also fsync."""
        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
            if self._file.write(text) != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if wait:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise RunError(
                f"{self._path} cannot be written ({error.strerror or first_line(error)}): "
                f"free some space, then `diswot resume {self._path.parent}`"
            ) from error


def read_journal(
    folder: Path,
    read: Callable[[Mapping[str, Any]], Candidate],
    *,
    unchecked: bool = False,
    growing: bool = False,
) -> dict[int, Candidate]:
    """Read the candidates of a journal.

    Args:
        folder: the run folder.
        read: makes a candidate of a parsed line, see `candidate_reader`.
        unchecked: whether lines may lack a checksum, as in runs of DisWOT 0.1.0.
        growing: whether another process appends lines, so that the last may be incomplete.

    Returns:
        Candidates by number, in increasing order; baselines have numbers below 0.

    Raises:
        RunFolderError: the journal is missing, or a line is damaged or repeated; the message
            names the line.
    """
    path = folder / JOURNAL
    if not path.exists():
        raise RunFolderError(f"{folder} is not a run folder: it has no {JOURNAL}")
    candidates: dict[int, Candidate] = {}
    keys: set[str] = set()
    with open_file(path) as lines:
        for index, text in enumerate(lines, start=1):
            if growing and not text.endswith(b"\n"):
                break
            try:
                # Check the line as bytes first, then its content, then against earlier lines.
                if not text.endswith(b"\n"):
                    raise ValueError("it is cut off")
                if not check_line(text) and not unchecked:
                    raise ValueError("it has no checksum")
                line = json.loads(text.decode("utf-8"))
                if line["schema"] != SCHEMA:
                    raise ValueError(f"schema {line['schema']}, expected {SCHEMA}")
                number, candidate = _typed(line, "number", int), read(line)
                if number < -len(BASELINES):
                    raise ValueError(f"number {number} belongs to no candidate")
                proposed = number >= 0  # by the engine, which proposes no key twice
                if number in candidates or (proposed and candidate.key in keys):
                    raise ValueError(f"candidate {number}, {candidate.name}, appears twice")
                candidates[number] = candidate
                if proposed:
                    keys.add(candidate.key)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise RunFolderError(
                    f"line {index} of {path} is damaged ({_why(error)}): restore the file from a "
                    "copy, or delete the line, and its candidate is evaluated again"
                ) from error
    return dict(sorted(candidates.items()))


def _why(error: Exception) -> str:
    return str(error) if type(error) is ValueError else repr(error)


def candidate_reader(
    space: SearchSpace | None, source: StudentSource | None
) -> Callable[[Mapping[str, Any]], Candidate]:
    """Return a function that makes candidates of the JSON values that `to_json` wrote.

    It raises ValueError, KeyError or TypeError if the values are not a candidate's.

    Args:
        space: parses architectures; without it, candidates have none.
        source: makes the networks; without it, candidates cannot be built.
    """
    return partial(_candidate, space=space, source=source)


def reader_of(
    manifest: Mapping[str, Any], space: SearchSpace | None
) -> tuple[SearchSpace | None, Callable[[Mapping[str, Any]], Candidate]]:
    """Return the search space of a run, and a function that makes candidates of JSON values.

    Args:
        manifest: the manifest of the run.
        space: the search space, if it is not a built-in one.
    """
    signature, name = read_signature(manifest["data"]), manifest["settings"]["space"]
    if space is None and name in SPACES:
        space = find_space(name, signature)
    # students that were cut out of a larger network cannot be built again without it
    source = None if space is None or "students" in manifest else Fresh(space, signature)
    return space, candidate_reader(space, source)


def _candidate(
    line: Mapping[str, Any], *, space: SearchSpace | None, source: StudentSource | None
) -> Candidate:
    name = _typed(line, "architecture", str)
    arch = None if space is None else space.from_string(name)
    terms = _typed(line, "terms", dict)
    return Candidate(
        architecture=arch,
        name=name,
        key=_typed(line, "key", str),
        costs=Costs(
            _typed(line, "params", int),
            _typed(line, "macs", int),
            _optional(line, "latency_ms", _number),
            _optional(line, "memory", lambda _: _typed(line, "memory", int)),
        ),
        terms={str(term): tuple(map(_number, values)) for term, values in terms.items()},
        seconds=_number(line.get("seconds", 0.0)),
        worker=str(line.get("worker", "")),
        failure=None if line["failure"] is None else _typed(line, "failure", str),
        violation=_number(line["violation"]),
        score=_optional(line, "score", _number),
        builder=None if space is None or source is None else partial(source.student, arch),
    )


def _optional(line: Mapping[str, Any], name: str, read: Callable[[Any], _T]) -> _T | None:
    return None if line.get(name) is None else read(line[name])


def _typed(line: Mapping[str, Any], name: str, kind: type[_T]) -> _T:
    value = line[name]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    return float(value)
