"""Records in a file, one line each, on disk as soon as they are made."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from diswot.errors import RunError, RunFolderError, first_line
from diswot.runs._checksums import CHECKSUM, check_line, line_with_checksum

_T = TypeVar("_T")


class RecordFile:
    """A file of records, each with its checksum.

    Args:
        path: of the file, which need not exist yet. Whoever writes it has locked its folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, make: Callable[[dict[str, Any]], _T]) -> list[_T]:
        """Return what `make` makes of the records; a last line that was cut off is dropped.

        Raises:
            RunFolderError: a line is damaged, or `make` cannot take its record.
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
        """Write records; when this returns they are on disk.

        Raises:
            RunError: the disk is full, or gone.
        """
        try:
            with self._path.open("ab") as file:
                file.writelines(map(line_with_checksum, records))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RunError(
                f"{self._path} cannot be written ({error.strerror or first_line(error)}): make room"
            ) from error
