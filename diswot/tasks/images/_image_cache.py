"""Cache entries of folders of images under the data root."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError, first_line
from diswot.tasks import SPLITS
from diswot.tasks.images._folder_headers import FolderHeaders
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._split import Split

_LABELS, _ABOUT = "labels.npy", "about.json"
_SAMPLE, _TOGETHER = 10_000, 256


def is_kept(path: Path) -> bool:
    """Return whether a cache entry exists."""
    return (path / _ABOUT).exists()


def keep(path: Path, write: Callable[[Path], None]) -> None:
    """Write a cache entry atomically: `path` exists only when it is complete.

    Raises:
        DataError: the entry cannot be written, for lack of space for example.
    """
    # Write to a temporary folder, then rename it; a failed or interrupted write leaves nothing.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        write(partial)
        partial.replace(path)
    except OSError as error:
        if is_kept(path):  # another process was faster
            return
        raise DataError(
            f"decoded images cannot be kept in {path.parent} ({error.strerror or error}): "
            "free some space, or set another data root with --data-root"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def describe(
    path: Path, headers: FolderHeaders, labels: Mapping[str, Sequence[int]], *, train: Split
) -> None:
    """Write labels and metadata of images to a cache entry.

    Args:
        path: folder of the cache entry.
        headers: the folder's listing and headers.
        labels: split → classes of the readable images.
        train: training images, for mean and standard deviation.

    Raises:
        DataError: a split or a class has no readable images.
    """
    headers.check_left(labels)
    np.save(path / _LABELS, np.concatenate([labels[split] for split in SPLITS]).astype(np.int64))
    mean, std = _moments(train, headers.shape[0])
    spec = ImageSpec(headers.shape, len(headers.listing.classes), mean, std, 255.0)
    about = {
        "classes": headers.listing.classes,
        "counts": [len(labels[split]) for split in SPLITS],
        "images": asdict(spec),
        "depth": headers.depth,
        "notes": [
            *headers.all_notes(),
            f"mean {_short(mean)} and deviation {_short(std)} of the training images",
            "a mirrored image is assumed to keep its class",
        ],
    }
    (path / _ABOUT).write_text(json.dumps(about))


def complete(path: Path, data: ImageData, notes: Sequence[str]) -> None:
    """Add notes and the digest of the images to a cache entry.

    Args:
        path: folder of the cache entry.
        data: the data of the entry.
        notes: further notes.
    """
    about: dict[str, Any] = json.loads((path / _ABOUT).read_text())
    about["notes"] += notes
    (path / _ABOUT).write_text(json.dumps({**about, "sha256": data.digest}))


def about(path: Path) -> dict[str, Any]:
    """Return the metadata that `describe` wrote.

    Raises:
        DataError: the cache entry is damaged.
    """
    with named_if_damaged(path):
        record: dict[str, Any] = json.loads((path / _ABOUT).read_text(encoding="utf-8"))
        spec = ImageSpec.from_json(record["images"])
        return {**record, "images": spec, "counts": [*map(int, record["counts"])]}


def labels_of(path: Path) -> Tensor:
    """Return the classes of all images, shape (n,), split by split."""
    return torch.from_numpy(np.load(path / _LABELS))


def assembled(
    splits: Sequence[Split], known: Mapping[str, Any], name: str, notes: Sequence[str]
) -> ImageData:
    """Assemble image data from its splits and metadata.

    Args:
        splits: `train`, `val` and `test`.
        known: metadata, as `about` returns it.
        name: name of the dataset.
        notes: notes on the list of files, which are not cached.
    """
    train, val, test = splits
    data = ImageData(
        name,
        train,
        val,
        test,
        known["images"],
        classes=tuple(known["classes"]),
        depth=int(known.get("depth", 16)),
        notes=(known["notes"][0], *notes, *known["notes"][1:]),
    )
    return data.with_provenance(digest=known.get("sha256"))


@contextmanager
def named_if_damaged(path: Path) -> Iterator[None]:
    """Convert errors inside the block to a `DataError` that the entry `path` is damaged."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{path} is damaged ({first_line(error)}): remove it, and it is made again"
        ) from error


def _moments(train: Split, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel of up to 10,000 images, scaled to [0, 1]."""
    # Evenly spaced images: folders are sorted by class.
    sample = torch.arange(0, len(train), -(-len(train) // _SAMPLE))
    sums = torch.zeros(2, channels, dtype=torch.float64)
    for indices in torch.split(sample, _TOGETHER):
        sums += _sums(train.take(indices).images)
    mean, square = sums / (len(sample) * train.images[0, 0].numel())
    std = (square - mean.square()).clamp_min(0).sqrt().clamp_min(1e-8)
    return tuple(mean.tolist()), tuple(std.tolist())


def _sums(images: Tensor) -> Tensor:
    """Return sums and sums of squares per channel, shape (2, C), of values in [0, 1]."""
    pixels = images.double().div_(255)  # in place, since float64 takes eight times the memory
    total = pixels.sum(dim=(0, 2, 3))
    return torch.stack([total, pixels.square_().sum(dim=(0, 2, 3))])


def _short(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)
