"""The lock of a run folder: only one process at a time writes in it."""

import errno
import os
import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from diswot.devices import is_first
from diswot.errors import ClusterError, RunError, RunFolderError
from diswot.runs._file_names import JOURNAL, MANIFEST, METHOD_MANIFEST, TRAINING_MANIFEST

if TYPE_CHECKING:
    from filelock import FileLock

LOCK = ".lock"
"""Name of the lock file, locked by the process that writes in the folder or below it."""

_MARK = "diswot"
"""First line of a lock file."""

_NESTED = 4
"""Depth of the deepest folder of a run: RUN/distill/LOSS/shortlist/1-1."""

_PARTIAL = re.compile(r"[.-]\d+\.partial\Z")
"""End of the names of half-written files: the process id and `.partial`."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers for a full disk."""

_held: ContextVar[tuple[Path, ...]] = ContextVar("held", default=())
"""Folders that this thread has locked, so that nested calls do not lock them again."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a run was in progress; the message says how to resume it."""


@contextmanager
def working_in(folder: str | Path, *, resumable: bool = True) -> Iterator[None]:
    """Lock the run that a folder belongs to inside the block.

    The folder is created if it does not exist, and removed again if nothing was written.
    Half-written files of killed processes are removed first. Nested blocks do not lock again;
    of several processes that train together, only rank 0 locks.

    Args:
        folder: a run folder, a new or empty folder, or a folder within a run.
        resumable: whether `diswot resume` can continue the work of the block.

    Raises:
        RunFolderError: another process uses the run, or the folder cannot be written.
        RunError: the disk is full.
        ClusterError: the block raised it; advice on how to resume is added.
        Interrupted: Ctrl-C was pressed.
    """
    location = Path(folder)
    run = _run_of(location)
    if not is_first() or _is_held(run):
        yield
        return
    made = [path for path in (run, *run.parents) if not path.exists()]
    lock = _acquired(run, location)
    held = _held.set((*_held.get(), run))
    try:
        _sweep(run)
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted(_interrupted(location, resumable=resumable)) from stop
    except ClusterError as error:
        raise ClusterError(f"{error}, then {_again(location, resumable=resumable)}") from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise RunError(
            f"{error.filename or location} cannot be written ({error.strerror}): free some space, "
            f"then {_again(location, resumable=resumable)}"
        ) from error
    finally:
        _held.reset(held)
        with suppress(OSError):
            if [path.name for path in run.iterdir()] == [LOCK]:
                (run / LOCK).unlink()
                for path in made:
                    path.rmdir()
        lock.release()


@contextmanager
def writing_into(folder: str | Path) -> Iterator[None]:
    """Lock the run that contains `folder` inside the block; do nothing if there is none.

    Raises:
        RunFolderError: another process uses the run.
    """
    run = _run_of(Path(folder).absolute().parent)
    with working_in(run, resumable=False) if _is_run(run) else nullcontext():
        yield


def check_free(folder: Path) -> None:
    """Make sure that no other process uses the run of a folder.

    Raises:
        RunFolderError: another process uses it.
    """
    if not is_first():  # rank 0 of this training holds the lock
        return
    run = _run_of(folder)
    if _is_run(run) and (run / LOCK).exists() and not _is_held(run):
        _acquired(run, folder).release()


def _is_held(run: Path) -> bool:
    return any(run.is_relative_to(held) for held in _held.get())


def _run_of(folder: Path) -> Path:
    """Return the outermost run that contains a folder, or the folder itself."""
    location = folder.resolve()
    around = [path for path in location.parents[:_NESTED] if _is_run(path)]
    return around[-1] if around else location


def _is_run(folder: Path) -> bool:
    """Return whether a run was started in a folder."""
    try:
        names = {path.name for path in folder.iterdir()}
        return bool(
            names >= {MANIFEST, JOURNAL}
            or names & {METHOD_MANIFEST, TRAINING_MANIFEST}
            or (LOCK in names and owner_of(folder))
        )
    except OSError:
        return False


def _acquired(run: Path, path: Path) -> "FileLock":
    """Acquire the lock of a run.

    Raises:
        RunFolderError: another process holds it, or it cannot be written.
    """
    # Imported here to keep commands that write in no run fast to start.
    from filelock import FileLock, SoftFileLock, Timeout

    named = path if run == path.resolve() else run
    lock = FileLock(run / LOCK)
    try:
        run.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        owner = owner_of(run)
        raise RunFolderError(
            f"another process is using {named}{owner and f' ({owner})'}: wait until it ends, or "
            f"stop it"
        ) from error
    except (OSError, NotImplementedError) as error:
        why = getattr(error, "strerror", None) or "its file system has no locks"
        raise RunFolderError(
            f"{named} cannot be written ({why}): make it writable, or name another folder"
        ) from error
    if not isinstance(lock, SoftFileLock):  # a SoftFileLock writes its owner itself
        with suppress(OSError):
            text = f"{_MARK}\nprocess {os.getpid()} on {socket.gethostname()}\n"
            (run / LOCK).write_text(text, encoding="utf-8")
    return lock


def owner_of(run: Path) -> str:
    """Return the process that holds a lock, or held it last; empty if not known."""
    try:
        mark, *owner = (run / LOCK).read_text(encoding="utf-8").splitlines()[:2]
    except (OSError, ValueError):
        return ""
    return owner[0] if mark == _MARK and owner else ""


def _sweep(run: Path) -> None:
    """Remove half-written files of killed processes."""
    for path in list(run.rglob("*.partial")):
        if not _PARTIAL.search(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _interrupted(location: Path, *, resumable: bool) -> str:
    try:
        kept = any(path.name != LOCK and path.suffix != ".partial" for path in location.iterdir())
    except OSError:
        kept = False
    if not kept:
        return f"interrupted; nothing was written to {location}: give the command again"
    what = "interrupted; finished work is kept: "
    return what + _again(location, resumable=resumable)


def _again(path: Path, *, resumable: bool) -> str:
    """Return advice on how to continue the work in a folder."""
    known = any((path / name).exists() for name in (MANIFEST, METHOD_MANIFEST, TRAINING_MANIFEST))
    if resumable and known:
        return f"`diswot resume {shlex.quote(str(path))}` resumes it"
    return "run the same command again"
