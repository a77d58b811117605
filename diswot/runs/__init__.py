"""Run folders: who works in one, and what tells that its files are whole."""

from typing import TYPE_CHECKING, Any

from diswot.runs._checksums import (
    CHECKSUM,
    check_file,
    check_line,
    checked,
    digest_of,
    line_with_checksum,
    with_checksum,
    write_with_checksum,
)
from diswot.runs._lock import LOCK, Interrupted, check_free, working_in, writing_into

if TYPE_CHECKING:
    from diswot.runs._signature import read_signature

__all__ = [
    "CHECKSUM",
    "LOCK",
    "Interrupted",
    "check_file",
    "check_free",
    "check_line",
    "checked",
    "digest_of",
    "line_with_checksum",
    "read_signature",
    "with_checksum",
    "working_in",
    "write_with_checksum",
    "writing_into",
]


def __getattr__(name: str) -> Any:
    """Import what reads signatures when it is used: it imports torch, and commands do not."""
    if name != "read_signature":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from diswot.runs._signature import read_signature

    return read_signature
