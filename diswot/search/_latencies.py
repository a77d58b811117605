"""Latencies of architectures, each determined once; measured ones are kept with the run."""

import csv
import os
import zlib
from pathlib import Path

from diswot.errors import RunFolderError
from diswot.files import read_file
from diswot.latency import Latency, UnusableNetworkError
from search_spaces import Architecture, SearchSpace

NAME = "latencies.csv"


class Latencies:
    """Milliseconds of architectures, asked for once each.

    Args:
        latency: determines them.
        space: whose architectures they are.
    """

    def __init__(self, latency: Latency, space: SearchSpace) -> None:
        self._latency = latency
        self._space = space
        self._known: dict[str, float] = {}
        self._unusable: dict[str, UnusableNetworkError] = {}
        self._path: Path | None = None

    def __call__(self, arch: Architecture) -> float:
        """Return milliseconds of an architecture.

        Raises:
            UnusableNetworkError: its network cannot be built, or run in the form that is timed.
            DiswotError: the latencies do not cover it.
        """
        name = self._space.to_string(arch)
        if name in self._unusable:
            raise self._unusable[name]
        if name not in self._known:
            try:
                self._known[name] = self._latency(arch)
            except UnusableNetworkError as error:
                self._unusable[name] = error
                raise
            self._write([(name, self._known[name])])
        return self._known[name]

    @property
    def name(self) -> str:
        """Where the milliseconds come from, in words."""
        return self._latency.name

    def keep(self, folder: Path) -> None:
        """Read what an earlier process measured for this run, and from now on write it.

        Only where a second measurement would give another value. The file is a table that
        `--latency` takes.

        Raises:
            RunFolderError: the file is damaged.
        """
        if self._latency.repeatable:
            return
        self._path = folder / NAME
        if self._path.exists():
            self._known |= _read(self._path)
            return
        with self._path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(("arch", "latency_ms", "crc32"))
        self._write(list(self._known.items()))

    def _write(self, rows: list[tuple[str, float]]) -> None:
        if self._path is None:
            return
        with self._path.open("a", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((*row, _checksum(*row)) for row in rows)
            file.flush()
            os.fsync(file.fileno())


def _checksum(name: str, milliseconds: float) -> str:
    return f"{zlib.crc32(f'{name},{milliseconds!r}'.encode()):08x}"


def _read(path: Path) -> dict[str, float]:
    """Return the whole lines of the file; a last one that was cut off is dropped.

    Raises:
        RunFolderError: a line is damaged. Those of DisWOT 0.1.0 have no checksum.
    """
    content = read_file(path)
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    known: dict[str, float] = {}
    place = 1
    try:
        header, *rows = csv.reader(whole.decode("utf-8").splitlines())
        for place, (name, milliseconds, *checksum) in enumerate(rows, start=2):  # noqa: B007
            known[name] = float(milliseconds)
            if checksum != [_checksum(name, known[name])][: len(header) - 2]:
                raise ValueError("its checksum is not that of its content")
    except ValueError as error:
        raise RunFolderError(
            f"line {place} of {path} is damaged ({error}): restore the file from a copy, or delete "
            "the line, and its latency is measured again"
        ) from error
    return known
