"""Tables of ground truths: found under the data root, or fetched from a mirror."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from diswot.csv_table import one_line
from diswot.errors import DataError, OptionError
from diswot.runtimes import require
from diswot.tasks.images import cache_root

MIRROR = "DISWOT_MIRROR"
"""Environment variable with the http(s) address of a mirror of the data root."""


@dataclass(frozen=True)
class Download:
    """A file under the data root that can be downloaded.

    Attributes:
        path: path relative to the data root and to a mirror.
        sha256: SHA-256 of the file, in hexadecimal.
        url: public address of the same file; `None` if there is none.
    """

    path: str
    sha256: str
    url: str | None = None


# The tables are compiled from public ones (see the docs for their origins), so these files
# have no public address: they can be fetched from a mirror of the data root only.
DOWNLOADS = {
    "resnet-s0": Download(
        "resnet-s0/accuracies.csv",
        "c39eca0ecd889d213322535a1477809bd5efdfcacf7592f7ca46d20e462276a6",
    ),
    "nas-bench-201": Download(
        "nas-bench-201/accuracies.csv",
        "9fcb1843589277a3567ecbed626337cac29d28296d2368a3fd77bc0eab7e653a",
    ),
    "nas-bench-macro": Download(
        "nas-bench-macro/accuracies.csv",
        "a1a7f59d0adb725f7350fdffb003b2783128652f385f8c3191a7125cf241014a",
    ),
    "nats-sss": Download(
        "nats-sss/accuracies.csv",
        "91ac9dabad3209885ca6c8fcea6a128b61ceeab4589954f0830805e170d05faf",
    ),
    "autoformer": Download(
        "vit-bench/autoformer.json",
        "ea018a0cb40e4e4bd65d40c12697bee2e59350ae2ce9e6144d781e424d829d5a",
    ),
    "flexibert": Download(
        "flexibert/glue_scores.json",
        "43d823ae5f93b44c78aa7d0ddbc7a988c3578e6b561a7e279c87790c6326a21f",
    ),
}
"""Ground truth → file, of those that are not part of the package."""


def fetch(download: Download, root: Path, *, mirror: str | None = None) -> Path:
    """Return the path of a file under the data root, downloading it first if missing.

    An existing file is used as it is. A download is checked against its SHA-256 before it
    is renamed to its final name, and is in the user's cache if the data root is read-only.

    Args:
        download: the file.
        root: the data root.
        mirror: http(s) address with the same files as a data root; by default that of the
            environment variable `DISWOT_MIRROR`.

    Raises:
        DataError: the file is missing and cannot be downloaded, or has another SHA-256.
        OptionError: the mirror is not an http or https address.
        MissingExtraError: the file has to be downloaded, and the extra `bench` is not installed.
    """
    paths = [root / download.path]
    if root.is_dir():
        paths.append(cache_root(root) / download.path)
    for path in paths:
        if path.is_file():
            return path
    base = mirror or os.environ.get(MIRROR)
    url = _joined(base, download.path) if base else download.url
    if url is None:
        raise DataError(
            f"there is no {download.path} in the data root {root}: put it there, name another "
            f"root with --data-root or DISWOT_DATA, or set {MIRROR} to an address that has it"
        )
    return _retrieved(url, download, cache_root(root) / download.path)


def _joined(mirror: str, path: str) -> str:
    try:
        parts = urlsplit(mirror)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        sound = False
    if not sound:
        raise OptionError(f"Expected {MIRROR} to be an http or https address, but got {mirror!r}")
    return f"{mirror.rstrip('/')}/{path}"


def _retrieved(url: str, download: Download, path: Path) -> Path:
    require(("pooch",), "bench", "downloading a table")
    import pooch

    pooch.get_logger().setLevel("WARNING")
    instead = f"put {path.name} in {path.parent}, or name another {MIRROR}"
    try:
        pooch.retrieve(
            url, known_hash=f"sha256:{download.sha256}", fname=path.name, path=path.parent
        )
    except OSError as error:  # all that requests raises, and what the disk does
        raise DataError(
            f"{url} could not be fetched ({_reason(error)}), and nothing of it was kept: "
            f"check the address and the network, {instead}"
        ) from error
    except ValueError as error:
        raise DataError(
            f"{url} is damaged or was tampered with: its SHA-256 is not {download.sha256}, "
            f"so the file was removed: {instead}"
        ) from error
    return path


def _reason(error: OSError) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return one_line(f"{response.status_code} {response.reason}")
    return error.strerror or type(error).__name__
