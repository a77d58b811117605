"""What is kept of a folder of images under the data root, so that it is read once."""

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
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._looked import Looked
from diswot.tasks.images._split import Split

_LABELS, _ABOUT = "labels.npy", "about.json"
_SAMPLE, _TOGETHER = 10_000, 256


def is_kept(place: Path) -> bool:
    """Return whether a folder was read before."""
    return (place / _ABOUT).exists()


def keep(place: Path, write: Callable[[Path], None]) -> None:
    """Write into the folder `place`, which appears when it is whole.

    Raises:
        DataError: there is no room for it.
    """
    made = place.with_name(f"{place.name}.{os.getpid()}.partial")
    try:
        made.mkdir(parents=True)
        write(made)
        made.replace(place)
    except OSError as error:
        if is_kept(place):  # another process was faster
            return
        raise DataError(
            f"decoded images cannot be kept in {place.parent} ({error.strerror or error}): "
            "make room, or name another place with --data-root"
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def describe(
    place: Path, look: Looked, labels: Mapping[str, Sequence[int]], *, train: Split
) -> None:
    """Write what is to be known of images without reading them.

    Args:
        place: the folder where they are kept.
        look: what was known of them before.
        labels: the classes of those that can be read, by split.
        train: the training images, which are measured.

    Raises:
        DataError: too few can be read.
    """
    look.check_left(labels)
    np.save(place / _LABELS, np.concatenate([labels[split] for split in SPLITS]).astype(np.int64))
    mean, std = _moments(train, look.shape[0])
    spec = ImageSpec(look.shape, len(look.listing.classes), mean, std, 255.0)
    about = {
        "classes": look.listing.classes,
        "counts": [len(labels[split]) for split in SPLITS],
        "images": asdict(spec),
        "depth": look.depth,
        "notes": [
            *look.all_notes(),
            f"mean {_short(mean)} and deviation {_short(std)} of the training images",
            "a mirrored image is taken to be of the same class",
        ],
    }
    (place / _ABOUT).write_text(json.dumps(about))


def complete(place: Path, data: ImageData, notes: Sequence[str]) -> None:
    """Add what is known of images once they are there: notes, and the digest.

    Args:
        place: the folder where they are kept.
        data: they, as they are read from it.
        notes: what else was found, for people.
    """
    about: dict[str, Any] = json.loads((place / _ABOUT).read_text())
    about["notes"] += notes
    (place / _ABOUT).write_text(json.dumps({**about, "sha256": data.digest}))


def about(place: Path) -> dict[str, Any]:
    """Return what `describe` wrote.

    Raises:
        DataError: it is damaged.
    """
    with named_if_damaged(place):
        found: dict[str, Any] = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        spec = ImageSpec.from_json(found["images"])
        return {**found, "images": spec, "counts": [*map(int, found["counts"])]}


def labels_of(place: Path) -> Tensor:
    """Return the classes of the images of all splits (n,)."""
    return torch.from_numpy(np.load(place / _LABELS))


def assembled(
    splits: Sequence[Split], known: Mapping[str, Any], name: str, notes: Sequence[str]
) -> ImageData:
    """Return the data of splits.

    Args:
        splits: `train`, `val` and `test`.
        known: what `about` returned.
        name: of the dataset.
        notes: what is known of the files, which are not read again.
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
def named_if_damaged(place: Path) -> Iterator[None]:
    """Say that what is kept in `place` is damaged where the block finds it so."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{place} is damaged ({first_line(error)}): remove it, and it is made again"
        ) from error


def _moments(train: Split, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel of at most 10,000 images, from 0 to 1."""
    sample = torch.arange(0, len(train), -(-len(train) // _SAMPLE))
    sums = torch.zeros(2, channels, dtype=torch.float64)
    for places in torch.split(sample, _TOGETHER):
        sums += _sums(train.take(places).images)
    mean, square = sums / (len(sample) * train.images[0, 0].numel())
    std = (square - mean.square()).clamp_min(0).sqrt().clamp_min(1e-8)
    return tuple(mean.tolist()), tuple(std.tolist())


def _sums(images: Tensor) -> Tensor:
    """Return sums and sums of squares per channel (2, C) of values from 0 to 1."""
    pixels = images.double().div_(255)  # in place: they take eight times as much
    total = pixels.sum(dim=(0, 2, 3))
    return torch.stack([total, pixels.square_().sum(dim=(0, 2, 3))])


def _short(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)
