"""Check the config.json of a Hugging Face model before a network is built from it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import NetworkError, TeacherError
from diswot.networks.meta import build_on_meta

LARGEST_NUMBER = 1_000_000
"""Largest accepted integer, such as a number of channels or pixels."""

MOST_LAYERS = 1_000
MOST_PARAMETERS = 5_000_000_000
"""Limit for a network whose weight files are not on this machine yet."""

HARMLESS = 50_000_000
"""Number of parameters that is accepted whatever the size of the weight files."""

_LAYERS = ("layer", "depth", "block", "stage", "repeat")
_NAMES = ("id2label", "label2id")
_FREE = ("_id", "token", "seed", "version")


def check_config(values: Mapping[str, Any], *, classes: int, who: str) -> None:
    """Make sure that a configuration has the right number of classes and plausible sizes.

    Args:
        values: content of `config.json`.
        classes: number of classes of the data.
        who: name of the teacher in messages.

    Raises:
        NetworkError: it has another number of classes.
        TeacherError: a number in it is implausibly large.
    """
    labels = values.get("id2label")
    named = len(labels) if isinstance(labels, Mapping) else values.get("num_labels")
    for count in (named, values.get("num_labels")):
        if isinstance(count, int) and count != classes:
            raise NetworkError(
                f"{who} has {count} classes, but the data has {classes}: they must be equal"
            )
    for key, number in _numbers(values):
        name = key.lower()
        if any(part in name for part in _FREE):
            continue
        most = MOST_LAYERS if any(part in name for part in _LAYERS) else LARGEST_NUMBER
        if not -most <= number <= most:
            raise TeacherError(
                f"{who} cannot be built: its config.json has {key} {number:,}, but at most "
                f"{most:,} is allowed; check the file"
            )


def _numbers(values: Any, key: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Yield all integers of a configuration by key, and the lengths of its lists."""
    if depth > 20:
        raise TeacherError("its config.json is nested more than 20 levels deep; check the file")
    if isinstance(values, bool):
        return
    if isinstance(values, int) or (isinstance(values, float) and values.is_integer()):
        yield key, int(values)
    elif isinstance(values, Mapping):
        for name, value in values.items():
            if name not in _NAMES:
                yield from _numbers(value, str(name), depth + 1)
    elif isinstance(values, list):
        yield f"{key} (elements)", len(values)
        for value in values:
            yield from _numbers(value, key, depth + 1)


def check_size(build: Callable[[], nn.Module], folder: Path | None, *, who: str) -> None:
    """Make sure, before memory is allocated, that a network is not larger than its weight files.

    Args:
        build: makes the network.
        folder: folder with its weights; `None` if they are not on this machine.
        who: name of the teacher in messages.

    Raises:
        TeacherError: the network has more parameters than its weight files have bytes.
    """
    try:
        network = build_on_meta(build)
    except Exception:  # noqa: BLE001  (not all networks can be built on the meta device)
        return
    count = sum(parameter.numel() for parameter in network.parameters())
    files = [] if folder is None else [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    size = sum(file.stat().st_size for file in files)
    if count > (max(size, HARMLESS) if files else MOST_PARAMETERS):
        limit = f"its weight files have {size:,} bytes" if files else f"{MOST_PARAMETERS:,} is most"
        raise TeacherError(
            f"{who} cannot be built: its config.json describes {count:,} parameters, but {limit}; "
            "check the numbers in it"
        )
