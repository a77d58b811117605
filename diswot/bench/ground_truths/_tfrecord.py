"""Reader of TFRecord files and Protocol Buffers messages that needs no TensorFlow."""

import struct
from collections.abc import Iterator
from functools import cache
from typing import IO

import numpy as np
from numpy.typing import NDArray

LONGEST = 1 << 20
"""Maximum length of a record in bytes, so that a damaged length cannot fill the memory."""

_CASTAGNOLI = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_BLOCK = 1024
"""Bytes whose contributions to a checksum are combined at once."""

_FEW = 32
"""Bytes below which a loop is faster."""

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5


def _table() -> list[int]:
    values = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_CASTAGNOLI if value & 1 else 0)
        values.append(value)
    return values


_TABLE = _table()


@cache
def _contributions() -> NDArray[np.uint32]:
    """Return what each byte adds to the register at the end of a block, (_BLOCK, 256)."""
    first = np.array(_TABLE, np.uint32)
    rows = [first]
    for _ in range(1, _BLOCK):
        rows.append(rows[-1] >> 8 ^ first[rows[-1] & 0xFF])
    return np.stack(rows[::-1])


def crc32c(content: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes, RFC 3720, appendix B.4.

    Examples:
        >>> hex(crc32c(b"123456789"))
        '0xe3069283'
    """
    crc = 0xFFFFFFFF
    for start in range(0, len(content), _BLOCK):
        crc = _after(crc, content[start : start + _BLOCK])
    return crc ^ 0xFFFFFFFF


def _after(crc: int, block: bytes) -> int:
    """Return the register after a block of bytes."""
    if len(block) < _FEW:
        for byte in block:
            crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
        return crc
    # A checksum is linear over XOR: with the register in its first four bytes, each byte of the
    # block contributes by its place alone.
    first = (int.from_bytes(block[:4], "little") ^ crc).to_bytes(4, "little")
    values = np.frombuffer(first + block[4:], np.uint8)
    places = np.arange(_BLOCK - len(block), _BLOCK)
    return int(np.bitwise_xor.reduce(_contributions()[places, values]))


def masked_crc32c(content: bytes) -> int:
    """Return the checksum that a TFRecord file stores for some bytes.

    Examples:
        >>> hex(masked_crc32c(b""))
        '0xa282ead8'
    """
    crc = crc32c(content)
    return (crc >> 15 | crc << 17) + _MASK_DELTA & 0xFFFFFFFF


def read_records(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the records of a TFRecord file.

    Each record is its length (8 bytes, little-endian) with a checksum, and the content with a
    checksum (`tensorflow/core/lib/io/record_writer.h`).

    Args:
        file: the file, opened for reading bytes.

    Raises:
        ValueError: the file ends inside a record, a checksum is wrong, or a record is longer
            than `LONGEST`.
    """
    while head := file.read(12):
        if len(head) < 12:
            raise ValueError("the file ends inside a record")
        length, checksum = struct.unpack("<QI", head)
        if masked_crc32c(head[:8]) != checksum:
            raise ValueError("the checksum of a record's length is wrong")
        if length > LONGEST:
            raise ValueError(f"a record of {length:,} bytes is longer than {LONGEST:,}")
        content, foot = file.read(length), file.read(4)
        if len(content) < length or len(foot) < 4:
            raise ValueError("the file ends inside a record")
        if masked_crc32c(content) != int.from_bytes(foot, "little"):
            raise ValueError("the checksum of a record's content is wrong")
        yield content


def read_fields(message: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """Yield (number, value) of the fields of a Protocol Buffers message.

    A value is an integer (a varint, read as unsigned), a float, or the bytes of a string or a
    nested message.

    Raises:
        ValueError: the bytes are not a message.

    Examples:
        >>> list(read_fields(bytes([0x10, 0x96, 0x01, 0x0A, 0x02, 0x68, 0x69])))
        [(2, 150), (1, b'hi')]
    """
    place, size = 0, len(message)
    while place < size:
        key, place = _varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            number, place = _varint(message, place)
            yield key >> 3, number
            continue
        length, place = {_DOUBLE: (8, place), _FLOAT: (4, place)}.get(kind) or (
            _varint(message, place) if kind == _BYTES else (size + 1, place)
        )
        if place + length > size:
            raise ValueError("its metrics are not a Protocol Buffers message")
        content, place = message[place : place + length], place + length
        yield key >> 3, content if kind == _BYTES else _number(content)


def _number(content: bytes) -> float:
    (value,) = struct.unpack("<d" if len(content) == 8 else "<f", content)
    return float(value)


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the base-128 integer at a place, and the place after it."""
    value = 0
    for shift, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, position + shift + 1
    raise ValueError("its metrics are not a Protocol Buffers message")
