"""Open files that users name: only regular files, never pipes or devices."""

import errno
import io
import os
import stat
from pathlib import Path

LARGEST_FILE = 2**30
"""Size limit, in bytes, of a file that is read into memory as a whole."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def irregular(path: str | Path) -> str | None:
    """Return what `path` is if it is not a regular file, such as "a named pipe", else `None`."""
    try:
        return _KINDS.get(stat.S_IFMT(os.stat(path).st_mode))  # noqa: PTH116  (either type)
    except (OSError, ValueError):
        return None


def open_file(path: str | Path) -> io.BufferedReader:
    """Open a regular file, or a link to one, for reading.

    Named pipes and devices are refused: the first would block until a writer comes, the second
    may never end.

    Raises:
        OSError: the path is not a regular file, does not exist or cannot be read.

    Examples:
        >>> open_file("/dev/zero")
        Traceback (most recent call last):
        OSError: [Errno 22] it is a device, not a file: '/dev/zero'
    """
    _check_regular(irregular(path), path)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:  # a null character in its name
        raise OSError(
            errno.EINVAL, f"it cannot be the name of a file ({error})", str(path)
        ) from error
    file = os.fdopen(descriptor, "rb")
    try:  # again: between the two another file may have taken the name
        _check_regular(_KINDS.get(stat.S_IFMT(os.fstat(descriptor).st_mode)), path)
    except OSError:
        file.close()
        raise
    return file


def check_folder(folder: Path) -> None:
    """Make sure that a folder directly contains only regular files and folders.

    Raises:
        OSError: the folder cannot be read, or contains a named pipe, socket, device or broken
            link; the message names it.
    """
    for path in sorted(folder.iterdir()):
        path.stat()
        if (kind := irregular(path)) != "a folder":
            _check_regular(kind, path)


def read_file(path: str | Path, *, at_most: int = LARGEST_FILE) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file.
        at_most: size limit in bytes; 1 GiB by default.

    Raises:
        OSError: the path is not a regular file, cannot be read, or has more than `at_most`
            bytes.
    """
    with open_file(path) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(errno.EFBIG, f"it has more than {at_most:,} bytes", str(path))
    return content


def _check_regular(kind: str | None, path: str | Path) -> None:
    if kind:
        number = errno.EISDIR if kind == "a folder" else errno.EINVAL
        raise OSError(number, f"it is {kind}, not a file", str(path))
