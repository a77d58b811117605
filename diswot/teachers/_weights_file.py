"""Read weight files as tensors by name, without executing code from them."""

import json
import struct
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from diswot.errors import CheckpointError
from diswot.files import irregular, open_file, read_file
from diswot.teachers._pickled import SAVE, damaged, read_pickled

_NESTED = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module"),
    *("teacher", "student", "params", "weights", "model_ema", "state_dict_ema", "ema_state_dict"),
    *("ema", "shadow"),
)
"""Keys under which training code stores a state dict, in order of preference."""

_IN_FOLDERS = (
    *("model.safetensors", "model.safetensors.index.json", "best.safetensors"),
    *("pytorch_model.bin", "pytorch_model.bin.index.json"),
)
"""Names of weight files that are looked for in a folder."""

_OTHER_FORMATS: Mapping[bytes, str] = {
    b"\x89HDF": "an HDF5 file, as Keras writes",
    b"version https://git-lfs": "a Git LFS pointer, not the weights: run `git lfs pull`",
    b"GGUF": "a GGUF file",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"<!DOCTYPE": "a web page, not the weights: download the file itself",
    b"<html": "a web page, not the weights: download the file itself",
    b"\x93NUMPY": "a NumPy array",
}
"""First bytes of other formats that users may pass by mistake, and descriptions of them."""

_LONGEST_INDEX = 64 * 2**20
_DEEPEST = 4
"""Maximal nesting of keys above a state dict; a file can have a dict that contains itself."""


def read_weights(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Read the tensors of a weight file.

    Args:
        path: a `.safetensors`, `.pt`, `.pth` or `.bin` file, the index of a sharded
            checkpoint (`.index.json`), or a folder that has one of these under a usual name.

    Returns:
        Tensors by name, and notes for the user.

    Raises:
        CheckpointError: the file is missing, damaged, of another format, or contains code.
    """
    path = regular_file(path)
    if path.name.endswith(".index.json"):
        return _shards(path), ()
    return _state_dict(_content(path), path)


def regular_file(path: Path) -> Path:
    """Return `path` if it is a regular file, or the weight file in a folder.

    Raises:
        CheckpointError: there is no such file, or it is empty or not a regular file.
    """
    try:
        if path.is_dir():
            results = [path / name for name in _IN_FOLDERS if (path / name).is_file()]
            if not results:
                raise CheckpointError(
                    f"{path} is a folder without {_IN_FOLDERS[0]} or {_IN_FOLDERS[3]}: "
                    "give the weight file itself"
                )
            return results[0]
        if kind := irregular(path):
            raise CheckpointError(f"{path} is {kind}, not a file: give a file of weights")
        if not path.stat().st_size:
            raise CheckpointError(f"{path} is empty: copy it again")
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}: check the path") from error
    except (OSError, ValueError) as error:  # no permission, or an invalid name
        reason = getattr(error, "strerror", None) or "not a file name"
        raise CheckpointError(f"{path} cannot be read ({reason}): check the path") from error
    return path


def _content(path: Path) -> Any:
    """Return the content of a file, whose format is detected by its first bytes."""
    try:
        with open_file(path) as file:
            head = file.read(64)
        _check_format(path, head)
        if _is_safetensors(head, path.stat().st_size):
            return load_file(path)
        return read_pickled(path)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file can make the readers raise anything
        raise damaged(path) from error


def _check_format(path: Path, head: bytes) -> None:
    for start, what in _OTHER_FORMATS.items():
        if head.lower().startswith(start.lower()):
            raise CheckpointError(
                f"{path} is {what}" if ": " in what else f"{path} is {what}: {SAVE}"
            )


def _is_safetensors(head: bytes, size: int) -> bool:
    """Return whether a file starts like safetensors: length of the header, then JSON."""
    if len(head) < 9:
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return head[8:9] == b"{" and 2 <= length <= size - 8


def _shards(index: Path) -> dict[str, Tensor]:
    """Return the tensors of all files in the index of a sharded checkpoint."""
    try:
        text = read_file(index, at_most=_LONGEST_INDEX).decode("utf-8")
        names = set(json.loads(text)["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(index) from error
    state: dict[str, Tensor] = {}
    for name in sorted(map(str, names)):
        if name != Path(name).name or name in ("", ".", ".."):
            raise CheckpointError(f"{index} names a file elsewhere, {name!r}: remove it")
        shard = regular_file(index.parent / name)
        state |= _state_dict(_content(shard), shard)[0]
    return state


def _state_dict(content: Any, path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    keys: list[str] = []
    other: list[str] = []
    for _ in range(_DEEPEST):
        if not isinstance(content, Mapping) or _has_tensors(content):
            break
        inner = [key for key in _NESTED if isinstance(content.get(key), Mapping)]
        if not inner:
            break
        other += inner[1:]
        keys.append(inner[0])
        content = content[inner[0]]
    if not isinstance(content, Mapping) or not (_has_tensors(content) or not content):
        raise CheckpointError(
            f"{path} holds no state dict of tensors, but {_described(content)}: "
            "save network.state_dict()"
        )
    notes = [f"{path.name} has several state dicts; {'.'.join(keys)} is used"] if other else []
    state = type(content)() if isinstance(content, OrderedDict) else {}
    state.update((key, value) for key, value in content.items() if isinstance(value, Tensor))
    if hasattr(content, "_metadata"):
        state._metadata = content._metadata  # type: ignore[attr-defined]  # read by torch
    return state, tuple(notes)


def _has_tensors(content: Mapping[Any, Any]) -> bool:
    return any(isinstance(v, Tensor) and isinstance(k, str) for k, v in content.items())


def _described(content: Any) -> str:
    if isinstance(content, Mapping):
        keys = ", ".join(str(key)[:40] for key in list(content)[:3])
        return f"the keys {keys}"
    return f"a {type(content).__name__}"
