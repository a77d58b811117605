"""The data root, for datasets and cached results."""

import os
import stat
from pathlib import Path

import platformdirs

from diswot.errors import DataError


def data_root(given: str | Path | None = None) -> Path:
    """Return the data root: `given`, or the variable `DISWOT_DATA`, or the user's cache.

    Raises:
        DataError: the given root is not a folder.
    """
    named = given or os.environ.get("DISWOT_DATA")
    if not named:
        return platformdirs.user_cache_path("diswot")
    root = Path(named).expanduser()
    if not root.is_dir():
        raise DataError(f"the data root {root} is not a folder: create it, or set another one")
    return root


def cache_root(root: Path) -> Path:
    """Return the folder for cached results: `root`, or the user's cache if it is read-only.

    A folder without any write permission counts as read-only for every user, also for root.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        marked_writable = root.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
        if marked_writable and os.access(root, os.W_OK):
            return root
    except OSError:
        pass
    return platformdirs.user_cache_path("diswot")
