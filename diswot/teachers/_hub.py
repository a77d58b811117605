"""Where a teacher's files are: a folder, the local cache, or a server that can be reached."""

import difflib
import os
import re
import socket
import stat
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from diswot.errors import TeacherError

SECONDS = 2.0
"""That a server has to answer in before it is taken for unreachable."""


def folder_or_id(place: str, who: str) -> tuple[str, bool]:
    """Return what transformers loads for `hf:place`, and whether from the local cache alone.

    Raises:
        TeacherError: it is neither a folder, nor in the cache, nor can the Hub be reached.
    """
    folder = Path(place).expanduser()
    if folder.is_dir():
        _check_files(folder, who)
        return str(folder), True
    near = _nearest_folder(folder)
    guess = f"did you mean {near}?" if near else "check the path"
    if place.startswith((".", "/", "~")) or place.count("/") > 1:
        raise TeacherError(f"{who}: there is no folder {folder}: {guess}")
    if not re.fullmatch(r"[\w.-]{1,96}(/[\w.-]{1,96})?", place):
        raise TeacherError(f"{who}: {place!r} is neither a folder nor an id of the Hub: {guess}")
    from huggingface_hub import constants, try_to_load_from_cache

    cached = try_to_load_from_cache(place, "config.json")
    if not constants.HF_HUB_OFFLINE and reachable(constants.ENDPOINT):
        return place, False
    if isinstance(cached, str):
        return place, True
    raise TeacherError(
        f"{who}: there is no such folder{f' (did you mean {near}?)' if near else ''} or download "
        f"in the cache, and {constants.ENDPOINT} cannot be reached: run `hf download {place} "
        "--local-dir FOLDER` where it can, and give hf:FOLDER"
    )


def reachable(url: str) -> bool:
    """Tell whether the server of a URL, or the proxy to it, takes a connection within 2 s."""
    target = urlsplit(url)
    proxy = getproxies().get(target.scheme)
    if proxy:
        target = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    port = target.port or (80 if target.scheme == "http" else 443)
    answered = threading.Event()

    def connect() -> None:
        with (
            suppress(OSError, ValueError),
            socket.create_connection((target.hostname or "", port), timeout=SECONDS),
        ):
            answered.set()

    # looking up a name can take longer than any timeout of the connection
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(SECONDS)
    return answered.is_set()


def _nearest_folder(folder: Path) -> Path | None:
    """Return the folder next to a missing one that has the most similar name."""
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(folder.parent) if entry.is_dir()]
        near = difflib.get_close_matches(folder.name, names, n=1, cutoff=0.6)
        return folder.parent / near[0] if near else None
    return None


def _check_files(folder: Path, who: str) -> None:
    """Refuse a folder in which reading a file would wait for ever."""
    try:
        entries = list(os.scandir(folder))
        if not any(entry.name == "config.json" for entry in entries):
            raise TeacherError(
                f"{who} cannot be loaded: {folder} has no config.json; give a folder that "
                "save_pretrained wrote"
            )
        for entry in entries:
            mode = entry.stat().st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                raise TeacherError(
                    f"{who} cannot be loaded: {entry.path} is no regular file; remove it"
                )
    except OSError as error:
        raise TeacherError(
            f"{who} cannot be loaded: {error.filename or folder} cannot be read "
            f"({error.strerror}); check it"
        ) from error
