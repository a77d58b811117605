"""Read files of `torch.save` without executing code from them."""

import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from diswot.errors import CheckpointError
from diswot.files import open_file

SAVE = "save network.state_dict() instead, best as .safetensors"
"""Advice for files that cannot be read safely."""

_RECORDS = (
    *("argparse.Namespace", "types.SimpleNamespace", "datetime.datetime"),
    *("builtins.list", "__builtin__.list", "__builtin__.dict"),
    *(f"pathlib{part}.{path}Path" for part in ("", "._local") for path in ("Posix", "Windows")),
    *(f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")),
    "numpy.dtype",
    *("builtins.dict", "builtins.int", "__builtin__.int", "typing.Any"),
    *(f"omegaconf.{name}" for name in ("dictconfig.DictConfig", "listconfig.ListConfig")),
    *(f"omegaconf.{name}" for name in ("base.ContainerMetadata", "base.Metadata")),
    "omegaconf.nodes.AnyNode",
    *(
        f"{lightning}.AttributeDict"
        for lightning in (
            *("pytorch_lightning.utilities.parsing", "lightning.pytorch.utilities.parsing"),
            *("lightning_fabric.utilities.data", "lightning.fabric.utilities.data"),
        )
    ),
)
"""Harmless types that training scripts store together with weights. They are never imported:
objects of these types are read as inert placeholders."""

_TOGETHER = 2**20


def read_pickled(path: Path) -> Any:
    """Return the content of a file of `torch.save` that has only tensors and plain records.

    Args:
        path: the file.

    Raises:
        CheckpointError: the file is damaged, or contains code.
        Exception: anything, if torch's reader fails on a damaged file.
    """
    with open_file(path) as file:
        start = file.read(2)
    if start == b"PK":
        _check_archive(path)
    elif start[:1] != pickle.PROTO:
        raise damaged(path)
    inert: list[Any] = [
        *((_Unused, name) for name in _RECORDS),
        (_empty_dict, "collections.defaultdict"),
        (_empty_list, "collections.deque"),
    ]
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            torch.serialization.safe_globals(inert),
            open_file(path) as file,  # given a path, torch chooses the reader by its suffix
        ):
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_unpicklable(path, str(error))) from error


def damaged(path: Path) -> CheckpointError:
    """Return the error for a file that its reader cannot read."""
    return CheckpointError(
        f"{path} cannot be read as a checkpoint: it is damaged, cut short or of another "
        "format; copy it again"
    )


def _check_archive(path: Path) -> None:
    """Raise an error for zip archives not written by `torch.save`: TorchScript, compressed."""
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    names = [member.filename for member in members]
    if any(name.endswith("constants.pkl") or "/code/" in name for name in names):
        raise CheckpointError(
            f"{path} is a TorchScript archive, which holds a program, and nothing in a "
            f"checkpoint is executed: {SAVE}"
        )
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError(f"{path} is a zip archive that torch.save did not write: {SAVE}")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise CheckpointError(f"{path} is compressed, which torch.save never does: {SAVE}")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise damaged(path)
    _check_sums(path)


def _check_sums(path: Path) -> None:
    """Verify the CRC-32 checksums of an archive's members, which torch does not."""
    wrong, right = [], 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            try:
                with archive.open(member) as record:
                    while record.read(_TOGETHER):
                        pass
                right += 1
            except zipfile.BadZipFile:
                wrong.append(member.filename)
    if wrong and right:  # if all are wrong, torch was configured to write no checksums
        raise CheckpointError(
            f"{path} is damaged (the checksum of {wrong[0]} does not match): copy it again"
        )


class _Unused:
    """A placeholder for an object that a training script stored; its state is discarded."""

    def __new__(cls, *_args: object, **_kwargs: object) -> "_Unused":
        return object.__new__(cls)

    def __setstate__(self, _state: object) -> None:
        pass


def _empty_dict(*_: object) -> dict[Any, Any]:
    return {}


def _empty_list(*_: object) -> list[Any]:
    return []


def _unpicklable(path: Path, reason: str) -> str:
    """Return why a pickle was refused; torch's own message advises to execute it."""
    match = re.search(r"GLOBAL ([\w.]+)", reason)
    if "truncated" in reason or not match:
        return (
            f"{path} was refused: it is damaged, or holds more than tensors, and nothing in a "
            f"checkpoint is executed; copy it again, or {SAVE}"
        )
    return (
        f"{path} was refused: it holds pickled Python objects ({match[1][:80]}), and nothing in "
        f"a checkpoint is executed; {SAVE}"
    )
