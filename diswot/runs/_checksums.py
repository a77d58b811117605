"""Checksums of JSON objects, JSON lines and files, stored together with their content.

Content without a checksum was written by DisWOT 0.1.0 or by hand, and is accepted unchecked.
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
"""Key of the SHA-256 of a JSON object's other entries."""

CHECKSUM = "crc32"
"""Key of the CRC-32 of the text before it in a JSON line."""

_LINE = re.compile(rb', "crc32": "([0-9a-f]{8})"\}\n\Z')
_FILE = re.compile(rb"\nsha256 ([0-9a-f]{64})\Z")
_FILE_LENGTH = len("\nsha256 ") + 64

_DIFFERS = "its checksum does not match its content"


def with_checksum(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON object with the SHA-256 of its entries added.

    Examples:
        >>> checked(with_checksum({"seed": 0}))
        {'seed': 0}
    """
    return {**record, KEY: _digest(json.loads(json.dumps(dict(record))))}


def checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """Verify a JSON object of `with_checksum`, and return it without the digest.

    Raises:
        ValueError: its values have changed since it was written.
    """
    content = dict(record)
    digest = content.pop(KEY, None)
    if digest is not None and digest != _digest(content):
        raise ValueError(_DIFFERS)
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def line_with_checksum(record: Mapping[str, Any]) -> bytes:
    r"""Return a JSON object as one line, with the CRC-32 of the text as last entry.

    Examples:
        >>> line_with_checksum({"number": 0})
        b'{"number": 0, "crc32": "9991b1c7"}\n'
    """
    text = json.dumps(record, allow_nan=False).encode()[:-1]
    return text + f', "crc32": "{zlib.crc32(text):08x}"}}\n'.encode()


def check_line(line: bytes) -> bool:
    """Verify a line of `line_with_checksum`; return whether it has a checksum.

    Raises:
        ValueError: its text has changed since it was written.
    """
    match = _LINE.search(line, max(0, len(line) - 24))
    if match is None:
        return False
    if int(match[1], 16) != zlib.crc32(line[: match.start()]):
        raise ValueError(_DIFFERS)
    return True


def write_with_checksum(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file, followed by its SHA-256.

    `torch.load` and other readers of zip archives ignore what follows an archive.

    Args:
        path: the file.
        write: writes the content into a binary file.
    """
    with path.open("wb") as file:
        hashing = _Hashing(file)
        write(hashing)  # type: ignore[arg-type]  # it is written to and nothing else
        file.write(b"\nsha256 " + hashing.digest.hexdigest().encode())


class _Hashing(io.RawIOBase):
    """A binary file that hashes everything that is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.digest.update(data)
        return self._file.write(data)


def check_file(path: Path) -> bool:
    """Verify a file of `write_with_checksum`; return whether it has a checksum.

    Raises:
        ValueError: its content has changed since it was written.
    """
    with open_file(path) as file:
        length = max(0, file.seek(0, io.SEEK_END) - _FILE_LENGTH)
        file.seek(length)
        match = _FILE.match(file.read())
        if match is None:
            return False
        file.seek(0)
        if _hashed(file, length) != match[1].decode():
            raise ValueError(_DIFFERS)
    return True


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hashed(file: IO[bytes], length: int) -> str:
    """Return the SHA-256 of the next `length` bytes of a file."""
    digest, left = hashlib.sha256(), length
    while left and (part := file.read(min(left, 2**20))):
        digest.update(part)
        left -= len(part)
    return digest.hexdigest()
