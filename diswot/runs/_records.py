"""A file of records, one JSON line each, which are on disk as soon as they are appended."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from diswot.errors import RunError, RunFolderError, first_line
from diswot.runs._checksums import CHECKSUM, check_line, line_with_checksum

_T = TypeVar("_T")


class RecordFile:
    """A file of records with a checksum each.

    Args:
        path: the file, which need not exist yet. The caller must hold the lock of its folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, make: Callable[[dict[str, Any]], _T]) -> list[_T]:
        """Read all records; an incomplete last line (of a killed process) is removed.

        Args:
            make: converts a record.

        Raises:
            RunFolderError: a line is damaged, or `make` raises an error for its record.
        """
        content = self._path.read_bytes() if self._path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        made = []
        for number, line in enumerate(whole.splitlines(keepends=True), start=1):
            try:
                check_line(line)
                record = json.loads(line)
                record.pop(CHECKSUM, None)
                made.append(make(record))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise RunFolderError(
                    f"line {number} of {self._path} is damaged ({error!r}): restore it from a copy"
                ) from error
        if whole != content:
            os.truncate(self._path, len(whole))
        return made

    def append(self, *records: Mapping[str, Any]) -> None:
        """Append records; they are on disk (fsync) when this returns.

        Raises:
            RunError: the disk is full or not available.
        """
        try:
            with self._path.open("ab") as file:
                file.writelines(map(line_with_checksum, records))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RunError(
                f"{self._path} cannot be written ({error.strerror or first_line(error)}): "
                "free some space"
            ) from error
