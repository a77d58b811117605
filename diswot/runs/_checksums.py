"""Checksums, written together with what they protect: a JSON object, a line of one, a file.

What has no checksum was written by DisWOT 0.1.0, or by hand, and is read unchecked.
"""

import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from diswot.files import open_file

KEY = "sha256"
"""The entry of a JSON object that holds the digest of the others."""

CHECKSUM = "crc32"
"""The entry of a line that holds the checksum of the text before it."""

_LINE = re.compile(rb', "crc32": "([0-9a-f]{8})"\}\n\Z')
_FILE = re.compile(rb"\nsha256 ([0-9a-f]{64})\Z")
_FILE_LENGTH = len("\nsha256 ") + 64

_DIFFERS = "its checksum is not that of its content"


def with_checksum(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the digest of its values.

    Examples:
        >>> checked(with_checksum({"seed": 0}))
        {'seed': 0}
    """
    return {**record, KEY: _digest(json.loads(json.dumps(dict(record))))}


def checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object that was read, without the digest that `with_checksum` added.

    Raises:
        ValueError: its values are not those that were written.
    """
    content = dict(record)
    digest = content.pop(KEY, None)
    if digest is not None and digest != _digest(content):
        raise ValueError(_DIFFERS)
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def line_with_checksum(record: Mapping[str, Any]) -> bytes:
    r"""Return a JSON object as a line whose last entry is the CRC-32 of the text before it.

    Examples:
        >>> line_with_checksum({"number": 0})
        b'{"number": 0, "crc32": "9991b1c7"}\n'
    """
    text = json.dumps(record, allow_nan=False).encode()[:-1]
    return text + f', "crc32": "{zlib.crc32(text):08x}"}}\n'.encode()


def check_line(line: bytes) -> bool:
    """Check a line that `line_with_checksum` made; `False` where it has no checksum.

    Raises:
        ValueError: its text is not the one that was written.
    """
    found = _LINE.search(line, max(0, len(line) - 24))
    if found is None:
        return False
    if int(found[1], 16) != zlib.crc32(line[: found.start()]):
        raise ValueError(_DIFFERS)
    return True


def write_with_checksum(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file, and put the digest of what it wrote behind it.

    `torch.load` and other readers of zip archives do not mind what stands behind an archive.
    """
    with path.open("wb") as file:
        hashing = _Hashing(file)
        write(hashing)  # type: ignore[arg-type]  # it is written to and nothing else
        file.write(b"\nsha256 " + hashing.digest.hexdigest().encode())


class _Hashing(io.RawIOBase):
    """Hands on what is written to it, and hashes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def check_file(path: Path) -> bool:
    """Check a file that `write_with_checksum` wrote; `False` where it has no checksum.

    Raises:
        ValueError: its content is not what was written.
    """
    with open_file(path) as file:
        length = max(0, file.seek(0, io.SEEK_END) - _FILE_LENGTH)
        file.seek(length)
        found = _FILE.match(file.read())
        if found is None:
            return False
        file.seek(0)
        if _hashed(file, length) != found[1].decode():
            raise ValueError(_DIFFERS)
    return True


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashed(file: IO[bytes], length: int) -> str:
    """Return the SHA-256 of the next `length` bytes."""
    digest, left = hashlib.sha256(), length
    while left and (part := file.read(min(left, 2**20))):
        digest.update(part)
        left -= len(part)
    return digest.hexdigest()
