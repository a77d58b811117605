"""What a run has done so far, read from its folder without disturbing its process."""

import csv
import io
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.files import read_file
from diswot.runs._checksums import checked
from diswot.runs._file_names import (
    JOURNAL,
    MANIFEST,
    METRICS,
    REPORT,
    RESULT,
    SHORT_TRAININGS,
    TRAINING_MANIFEST,
)
from diswot.runs._lock import LOCK, owner_of

SHARE = 10
"""Watching takes at most one part in this many of a processor's time."""

_LOCKS = Path("/proc/locks")
"""Where Linux lists the locks that processes hold."""


@dataclass(frozen=True)
class Stage:
    """A part of a run and how far it is.

    Attributes:
        name: `search`, or the name of a training.
        done: finished units: candidates or epochs.
        total: how many there will be; `None` if that is not known.
        unit: what is counted.
        note: last result, such as the last candidate or the best validation measure.
        finished: whether nothing is left to do.
    """

    name: str
    done: int
    total: int | None
    unit: str
    note: str
    finished: bool

    def __str__(self) -> str:
        counted = f"{self.done:,}" + ("" if self.total is None else f" of {self.total:,}")
        state = " (finished)" if self.finished else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.name}: {counted} {self.unit}{state}{note}"


@dataclass(frozen=True)
class Activity:
    """What a run has done so far.

    Attributes:
        stages: its stages in order.
        finished: whether everything that was started has finished.
        active: whether a process works in the folder; `None` if that cannot be known, because
            the process is on another machine.
    """

    stages: tuple[Stage, ...]
    finished: bool
    active: bool | None

    @property
    def ended(self) -> bool:
        """Whether nothing more is going to happen."""
        return self.active is False or (self.finished and self.active is None)


def read_activity(folder: Path) -> Activity:
    """Read what a run or a training has done so far; nothing is locked or written.

    Raises:
        RunFolderError: the folder has neither a run nor a training.
    """
    manifest = _json(folder / MANIFEST)
    if manifest is None and _json(folder / TRAINING_MANIFEST) is None:
        why = "is damaged" if (folder / MANIFEST).exists() else "is not a run folder"
        raise RunFolderError(f"{folder} {why}: name the folder of a run or of a training")
    # First, because a process that ends while the files are read has written more than that.
    active = is_active(folder)
    stages = tuple(_stages(folder, manifest or {}))
    finished = all(stage.finished for stage in stages) and _is_complete(folder, manifest)
    return Activity(stages, finished, active)


def watch_activity(folder: Path, *, seconds: float = 1.0) -> Iterator[Activity]:
    """Yield what a run has done, whenever that has changed, until nothing more can happen.

    Long journals take a while to read: looks, and what the caller does with them, take at most
    one part in `SHARE` of a processor's time from the run.

    Args:
        folder: the run folder.
        seconds: time between two looks.

    Raises:
        RunFolderError: the folder has neither a run nor a training.
    """
    last = None
    while True:
        began = time.process_time()
        activity = read_activity(folder)
        if activity != last:
            yield activity
        if activity.ended:
            return
        last = activity
        time.sleep(max(seconds, SHARE * (time.process_time() - began)))


def is_active(folder: Path) -> bool | None:
    """Return whether a process works in a folder; `None` if it is on another machine.

    The lock is not acquired, because that could keep another process from starting.
    """
    try:
        state = (folder / LOCK).stat()
    except OSError:
        return False
    owner = owner_of(folder)
    process, _, host = owner.removeprefix("process ").partition(" on ")
    if host not in ("", socket.gethostname()):
        return None
    with suppress(OSError):
        return any(f":{state.st_ino} " in line for line in _LOCKS.read_text().splitlines())
    return process.isdecimal() and is_running(int(process))


def is_running(process: int) -> bool:
    """Return whether a process of this machine is running, or may be."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _stages(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Stage]:
    if manifest:
        yield _search(folder, manifest)
    short = _lines(folder / SHORT_TRAININGS)
    if short:
        yield Stage("short trainings", len(short), None, "trainings", "", True)
    epochs = _epochs(manifest.get("job"))
    for path in sorted([*folder.glob(METRICS), *folder.glob(f"distill/**/{METRICS}")]):
        yield _training(path.parent, folder, epochs)


def _search(folder: Path, manifest: Mapping[str, Any]) -> Stage:
    lines = _lines(folder / JOURNAL)
    finished = (folder / RESULT).exists()
    last = lines[-1].get("architecture", "") if lines else ""
    failed = sum(line.get("failure") is not None for line in lines)
    note = str(last) + (f", {failed:,} failed" if failed else "")
    total = len(lines) if finished else _expected(manifest)
    return Stage("search", len(lines), total, "candidates", note, finished)


def _expected(manifest: Mapping[str, Any]) -> int | None:
    """Return how many candidates a search has at most, with its baselines."""
    try:
        engine, baselines = manifest["engine"], manifest["baselines"]
        total = engine["population"] * (engine["generations"] + 1)
        return int(total) + len({*baselines.values()})
    except (KeyError, TypeError, AttributeError):
        return None


def _training(folder: Path, run: Path, epochs: int | None) -> Stage:
    known = _json(folder / TRAINING_MANIFEST)
    rows = _rows(folder / METRICS)
    finished = (folder / REPORT).exists()
    name = str(folder.relative_to(run / "distill")) if folder != run else folder.resolve().name
    total = len(rows) if finished else (_epochs((known or {}).get("options")) or epochs)
    return Stage(name, len(rows), total, "epochs", _validation(rows[-1] if rows else {}), finished)


def _validation(row: Mapping[str, str]) -> str:
    """Return the validation measure of an epoch as text; empty if there is none, or no number."""
    for column, number in row.items():
        if column.startswith("val_"):
            with suppress(ValueError):
                return f"validation {column.removeprefix('val_')} {float(number):.4g}"
    return ""


def _is_complete(folder: Path, manifest: Mapping[str, Any] | None) -> bool:
    """Return whether a run has all of its results, including those after the search."""
    if manifest is None:
        return (folder / REPORT).exists()
    result = _json(folder / RESULT) or {}
    return manifest.get("job") is None or "student" in result


def _epochs(options: Any) -> int | None:
    epochs = options.get("epochs") if isinstance(options, dict) else None
    return epochs if isinstance(epochs, int) else None


def _json(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; `None` if the file is missing or damaged."""
    try:
        content = json.loads(read_file(path))
        return checked(content) if isinstance(content, dict) else None
    except (OSError, ValueError, RecursionError):
        return None


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the complete lines of a file of JSON lines; the last one may be half-written."""
    try:
        content = read_file(path)
        lines = [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]
    except (OSError, ValueError, RecursionError):
        return []
    return [line for line in lines if isinstance(line, dict)]


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table of metrics; empty if it is missing or damaged."""
    try:
        rows = csv.DictReader(io.StringIO(read_file(path).decode("utf-8"), newline=""))
        return [row for row in rows if None not in row.values()]
    except (OSError, ValueError, csv.Error):
        return []
