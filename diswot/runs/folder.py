"""Create run folders, and write and read their files atomically and with checksums."""

import json
import os
import platform
import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from diswot.errors import RunFolderError
from diswot.files import read_file
from diswot.runs import LOCK, check_free, checked, is_running, with_checksum

_RECORDED = ("diswot", "torch", "numpy", "scipy", "deap")


def new_folder(path: str | Path) -> Path:
    """Create a folder, or accept an existing empty one.

    Raises:
        RunFolderError: it exists and is not empty, or cannot be written.
    """
    folder = Path(path)
    check_new_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_new_folder(folder: Path) -> None:
    """Check that `folder` can become a run folder, without leaving it behind.

    Raises:
        RunFolderError: it exists and is not empty, another process uses it, or it cannot be
            written.
    """
    if ".." in folder.parts and not folder.exists():
        raise RunFolderError(
            f"{folder} contains '..': give the path of the output folder without it"
        )
    try:
        if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
            raise RunFolderError(f"{folder} is a file: name another output folder with --out")
        check_free(folder)
        if folder.exists() and not all(map(_is_leftover, folder.iterdir())):
            raise RunFolderError(f"the folder {folder} is not empty: name another with --out")
        # Create the folder to find out whether that is possible, and remove it again.
        absent = [place for place in (folder, *folder.absolute().parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
        for place in absent:
            place.rmdir()
    except OSError as error:
        raise RunFolderError(
            f"{folder} cannot be written ({error.strerror}): name another folder with --out"
        ) from error
    if not writable:
        raise RunFolderError(f"{folder} cannot be written: name another folder with --out")


def _is_leftover(path: Path) -> bool:
    """Return whether a file was left by a process that was killed before it wrote anything."""
    return path.name == LOCK or path.name.endswith(".partial")


def next_folder(parent: Path, stem: str) -> Path:
    """Return the first of `parent/stem-1`, `parent/stem-2`, … that does not exist.

    Args:
        parent: the folder that contains it.
        stem: any name, such as `timm:resnet18`; `:` and `/` are replaced by `-`.
    """
    stem = stem.replace(":", "-").replace("/", "-")
    number = 1
    while (parent / f"{stem}-{number}").exists():
        number += 1
    return parent / f"{stem}-{number}"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically: after a kill, either the old or the new one is complete."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    replace_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_record(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically, with a checksum that `read_json` verifies."""
    write_json(path, with_checksum(content))


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically: write a temporary file, fsync it, and rename it to `path`.

    Temporary files of the same file from killed processes of this machine are removed.

    Args:
        path: the file.
        write: writes the content to the temporary path.
    """
    partial = path.with_name(f"{path.name}.{_here()}-{os.getpid()}.partial")
    for left in path.parent.glob(f"{_escaped(path.name)}.{_escaped(_here())}-*.partial"):
        if not _is_running(left):
            left.unlink(missing_ok=True)
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def replace_content(path: Path, content: bytes) -> None:
    """Write bytes atomically, unless the file already has this content."""
    if not (path.is_file() and path.read_bytes() == content):
        replace_file(path, lambda partial: partial.write_bytes(content))


def _here() -> str:
    """Return this machine's host name, with characters that are valid in file names."""
    return re.sub(r"[^\w-]", "-", socket.gethostname(), flags=re.ASCII)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)


def _is_running(partial: Path) -> bool:
    """Return whether the process that writes a temporary file is running, or may be."""
    process = partial.name.removesuffix(".partial").rpartition("-")[2]
    return not process.isdecimal() or is_running(int(process))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run folder, and verify its checksum if it has one.

    Raises:
        RunFolderError: the file is missing or damaged, or a value has changed.
    """
    try:
        content = json.loads(read_file(path).decode("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no JSON object")
        return checked(content)
    except FileNotFoundError as error:
        raise RunFolderError(f"{path.parent} is not a run folder: it has no {path.name}") from error
    except (ValueError, OSError, RecursionError) as error:
        raise RunFolderError(f"{path} is damaged ({error}): restore it from a copy") from error


def versions() -> dict[str, str]:
    """Return the versions of Python and packages that results depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in _RECORDED}
