"""Latencies of architectures, each looked up or measured once; a run keeps measured ones."""

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
    """A cache of latencies, which is also kept in the run folder if they are measured.

    Args:
        latency: looks up, predicts or measures the latency of an architecture.
        space: the search space.
    """

    def __init__(self, latency: Latency, space: SearchSpace) -> None:
        self._latency = latency
        self._space = space
        self._known: dict[str, float] = {}
        self._unusable: dict[str, UnusableNetworkError] = {}
        self._path: Path | None = None

    def __call__(self, arch: Architecture) -> float:
        """Return the latency of an architecture in milliseconds.

        Raises:
            UnusableNetworkError: its network cannot be built, or run for the measurement.
            DiswotError: the latency table does not contain it.
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
        """Description of where the latencies come from."""
        return self._latency.name

    def keep(self, folder: Path) -> None:
        """Read the latencies that an earlier process measured, and append new ones from now on.

        Does nothing if latencies are reproducible (a table or a prediction). The file is a CSV
        table that `--latency` accepts.

        Args:
            folder: the run folder.

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
    """Read the complete lines of the file; an incomplete last line is removed.

    Raises:
        RunFolderError: a line is damaged. (Lines of DisWOT 0.1.0 have no checksum to check.)
    """
    content = read_file(path)
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        path.write_bytes(whole)
    known: dict[str, float] = {}
    index = 1
    try:
        header, *rows = csv.reader(whole.decode("utf-8").splitlines())
        for index, (name, milliseconds, *checksum) in enumerate(rows, start=2):  # noqa: B007
            known[name] = float(milliseconds)
            if checksum != [_checksum(name, known[name])][: len(header) - 2]:
                raise ValueError("its checksum does not match its content")
    except ValueError as error:
        raise RunFolderError(
            f"line {index} of {path} is damaged ({error}): restore the file from a copy, or delete "
            "the line, and its latency is measured again"
        ) from error
    return known
