"""Where a teacher's files are: a folder, the local cache, or a server that can be reached."""

import difflib
import os
import re
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch

from diswot.errors import TeacherError
from diswot.files import check_folder

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


def check_hub_download(who: str, place: str, files: Sequence[str], *, advice: str) -> None:
    """Make sure that weights of the Hub are in the cache, or that the Hub can be reached.

    Args:
        who: the teacher that they are of.
        place: the id of their repository.
        files: what they may be called there.
        advice: how to get them elsewhere.

    Raises:
        TeacherError: neither.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    if any(isinstance(try_to_load_from_cache(place, name), str) for name in files):
        return
    if constants.HF_HUB_OFFLINE or not reachable(constants.ENDPOINT):
        raise _unreachable(who, constants.ENDPOINT, advice)


def check_torch_download(who: str, url: str) -> None:
    """Make sure that weights are in torch's cache, or that their server can be reached.

    Raises:
        TeacherError: neither.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / urlsplit(url).path.rpartition("/")[2]
    if not path.is_file() and not reachable(url):
        raise _unreachable(who, urlsplit(url).netloc, f"download {url} where it can, to {path}")


def _unreachable(who: str, server: str, advice: str) -> TeacherError:
    return TeacherError(
        f"{who}: its weights are not in the cache, and {server} cannot be reached: {advice}, or "
        "give a checkpoint with --teacher-weights"
    )


def reachable(url: str) -> bool:
    """Return whether the server of a URL, or the proxy to it, takes a connection within 2 s."""
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
    """Refuse a folder that is no network's, or in which reading a file would wait for ever."""
    try:
        check_folder(folder)
        if not (folder / "config.json").exists():
            raise TeacherError(
                f"{who} cannot be loaded: {folder} has no config.json; give a folder that "
                "save_pretrained wrote"
            )
    except OSError as error:
        raise TeacherError(
            f"{who} cannot be loaded: {error.filename or folder} cannot be read "
            f"({error.strerror}); check it"
        ) from error
