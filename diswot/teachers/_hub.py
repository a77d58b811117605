"""Locate a teacher's files: in a folder, in the local cache, or on a reachable server."""

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
"""Timeout, in seconds, after which a server counts as unreachable."""


def folder_or_id(location: str, who: str) -> tuple[str, bool]:
    """Resolve `hf:place` to a folder or a Hub id.

    Args:
        location: a folder, or an id of the Hugging Face Hub.
        who: name of the teacher in messages.

    Returns:
        The folder or id, and whether only local files are used.

    Raises:
        TeacherError: it is neither a folder nor in the cache, and the Hub cannot be reached.
    """
    folder = Path(location).expanduser()
    if folder.is_dir():
        _check_files(folder, who)
        return str(folder), True
    near = _nearest_folder(folder)
    guess = f"did you mean {near}?" if near else "check the path"
    if location.startswith((".", "/", "~")) or location.count("/") > 1:
        raise TeacherError(f"{who}: there is no folder {folder}: {guess}")
    if not re.fullmatch(r"[\w.-]{1,96}(/[\w.-]{1,96})?", location):
        raise TeacherError(f"{who}: {location!r} is neither a folder nor an id of the Hub: {guess}")
    from huggingface_hub import constants, try_to_load_from_cache

    cached = try_to_load_from_cache(location, "config.json")
    if not constants.HF_HUB_OFFLINE and reachable(constants.ENDPOINT):
        return location, False
    if isinstance(cached, str):
        return location, True
    raise TeacherError(
        f"{who}: there is no such folder{f' (did you mean {near}?)' if near else ''} or download "
        f"in the cache, and {constants.ENDPOINT} cannot be reached: run `hf download {location} "
        "--local-dir FOLDER` on a machine that can, and give hf:FOLDER"
    )


def check_hub_download(who: str, place: str, files: Sequence[str], *, advice: str) -> None:
    """Make sure that weights of the Hub are in the cache, or that the Hub can be reached.

    Args:
        who: name of the teacher in messages.
        place: id of the repository on the Hub.
        files: possible names of the weight file.
        advice: how to get the weights otherwise, for the message.

    Raises:
        TeacherError: the weights are not in the cache, and the Hub cannot be reached.
    """
    from huggingface_hub import constants, try_to_load_from_cache

    if any(isinstance(try_to_load_from_cache(place, name), str) for name in files):
        return
    if constants.HF_HUB_OFFLINE or not reachable(constants.ENDPOINT):
        raise _unreachable(who, constants.ENDPOINT, advice)


def check_torch_download(who: str, url: str) -> None:
    """Make sure that weights are in torch's cache, or that their server can be reached.

    Args:
        who: name of the teacher in messages.
        url: address of the weight file.

    Raises:
        TeacherError: they are not in the cache, and the server cannot be reached.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / urlsplit(url).path.rpartition("/")[2]
    if not path.is_file() and not reachable(url):
        raise _unreachable(
            who, urlsplit(url).netloc, f"download {url} on a machine that can, to {path}"
        )


def _unreachable(who: str, server: str, advice: str) -> TeacherError:
    return TeacherError(
        f"{who}: its weights are not in the cache, and {server} cannot be reached: {advice}, or "
        "give a checkpoint with --teacher-weights"
    )


def reachable(url: str) -> bool:
    """Return whether the server of a URL, or its proxy, accepts a connection within 2 s."""
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

    # In a thread, because DNS look-up can take longer than the timeout of the connection.
    attempt = threading.Thread(target=connect, daemon=True)
    attempt.start()
    attempt.join(SECONDS)
    return answered.is_set()


def _nearest_folder(folder: Path) -> Path | None:
    """Return the existing folder whose name is most similar to a missing one, or `None`."""
    with suppress(OSError):
        names = [entry.name for entry in os.scandir(folder.parent) if entry.is_dir()]
        near = difflib.get_close_matches(folder.name, names, n=1, cutoff=0.6)
        return folder.parent / near[0] if near else None
    return None


def _check_files(folder: Path, who: str) -> None:
    """Raise an error if a folder has no config.json, or has pipes or devices in it."""
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
