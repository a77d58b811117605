"""A folder of images, decoded once into a file that is mapped into memory."""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError, first_line
from diswot.progress import Progress, message
from diswot.tasks import SPLITS
from diswot.tasks._image_file import depth_of, read_header, read_image
from diswot.tasks._names import named
from diswot.tasks.images._converted import conversions, inferred_shape
from diswot.tasks.images._duplicates import duplicates
from diswot.tasks.images._image_data import ImageData, Split
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._listing import Listing, list_folder
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._reading import Reading

_FORMAT = 2
"""To be raised when the same folder would be decoded to something else."""
_TOGETHER = 256
_SAMPLE = 10_000
_IMAGES, _LABELS, _ABOUT = "images.npy", "labels.npy", "about.json"


def image_folder(
    root: Path, *, kept_in: Path, image_size: int | None, progress: Progress
) -> ImageData:
    """Return the images of a folder, mapped from a file that is written when it is new.

    Args:
        root: the folder, with class folders or with splits of class folders.
        kept_in: where decoded folders are kept, each by the digest of its list of files.
        image_size: height and width of the images; by default inferred.
        progress: receives each image that is decoded.

    Raises:
        DataError: it is no folder of images, too many of them are unreadable, or there is
            no place to keep them.
    """
    listing = list_folder(root)
    place = kept_in / listing.digest(_FORMAT, image_size)[:32]
    if (place / _ABOUT).exists():
        progress(message("images", f"decoded before, in {place}"))
    else:
        _keep(listing, place, image_size, progress)
    return _with_originals(_mapped(place, root.resolve().name, listing.notes), listing)


def _with_originals(data: ImageData, listing: Listing) -> ImageData:
    """Add the files that the images were decoded from, unless some were left out as unreadable."""
    parts = {"train": data.train, "val": data.val, "test": data.test}
    originals = {
        split: Originals(
            tuple(image.path for image in listing.splits[split]), data.shape[0], data.depth
        )
        for split, images in parts.items()
        if len(images) == len(listing.splits[split])
    }
    return data.with_provenance(originals=originals)


def _keep(listing: Listing, place: Path, image_size: int | None, progress: Progress) -> None:
    """Decode a listing into the folder `place`, which appears when it is whole."""
    made = place.with_name(f"{place.name}.{os.getpid()}.partial")
    try:
        made.mkdir(parents=True)
        _write(listing, made, image_size, progress)
        made.replace(place)
    except OSError as error:
        if (place / _ABOUT).exists():  # another process was faster
            return
        raise DataError(
            f"decoded images cannot be kept in {place.parent} ({error.strerror or error}): "
            "make room, or name another place with --data-root"
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _write(listing: Listing, place: Path, image_size: int | None, progress: Progress) -> None:
    entries = [(split, image) for split in SPLITS for image in listing.splits[split]]
    reading = Reading(listing.root, [image.path for _, image in entries])
    headers = list(reading.each(read_header, stage="look", progress=progress))
    known = [header for header in headers if header]
    shape, inferred = inferred_shape(known, image_size)
    depth = depth_of(known)
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    with (place / _IMAGES).open("wb") as file:
        _write_header(file, len(entries), shape)
        decode = partial(read_image, shape=shape, depth=depth)
        decoded = reading.each(decode, stage="decode", progress=progress)
        for pixels, (split, image) in zip(decoded, entries, strict=True):
            if pixels is not None:
                file.write(pixels.data)
                labels[split].append(image.label)
        _write_header(file, sum(map(len, labels.values())), shape)
    _check_left(labels, listing)
    np.save(place / _LABELS, np.concatenate([labels[split] for split in SPLITS]).astype(np.int64))
    notes = [inferred, *conversions(known, shape, depth)]
    if reading.unreadable:
        notes.append(f"unreadable images left out, {len(reading.unreadable)}: {reading.reasons}")
    _describe(place, listing.classes, labels, notes, depth=depth)


def _check_left(labels: Mapping[str, Sequence[int]], listing: Listing) -> None:
    for split in SPLITS:
        if not labels[split]:
            raise DataError(f"no {split} image in {listing.root} can be read: fix or replace them")
    if lost := sorted(set(range(len(listing.classes))) - set(labels["train"])):
        raise DataError(
            f"no training image of {named([listing.classes[label] for label in lost])} in "
            f"{listing.root} can be read: fix them, or remove the class"
        )


def _write_header(file: IO[bytes], count: int, shape: tuple[int, int, int]) -> None:
    """Write the head of a .npy file; it is of the same length for any count."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
    )


def _describe(
    place: Path,
    classes: Sequence[str],
    labels: Mapping[str, Sequence[int]],
    notes: Sequence[str],
    *,
    depth: int,
) -> None:
    """Measure what was decoded, and write all that is to be known of it without reading it."""
    images = torch.from_numpy(np.load(place / _IMAGES, mmap_mode="c"))
    mean, std = _moments(images[: len(labels["train"])])
    channels, height, width = images.shape[1:]
    spec = ImageSpec((channels, height, width), len(classes), mean, std, 255.0)
    about: dict[str, Any] = {
        "classes": classes,
        "counts": [len(labels[split]) for split in SPLITS],
        "images": asdict(spec),
        "depth": depth,
        "notes": [
            *notes,
            f"mean {_short(mean)} and deviation {_short(std)} of the training images",
            "a mirrored image is taken to be of the same class",
        ],
    }
    (place / _ABOUT).write_text(json.dumps(about))
    data = _mapped(place, "")
    about["notes"] += duplicates(data.train, data.val, data.test)
    about["sha256"] = data.digest
    (place / _ABOUT).write_text(json.dumps(about))


def _moments(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel of at most 10,000 images, from 0 to 1."""
    sample = images[:: -(-len(images) // _SAMPLE)]
    sums = torch.zeros(2, images.shape[1], dtype=torch.float64)
    for chunk in torch.split(sample, _TOGETHER):
        pixels = chunk.double() / 255
        sums += torch.stack([pixels.sum(dim=(0, 2, 3)), pixels.square().sum(dim=(0, 2, 3))])
    mean, square = sums / (sample.numel() // images.shape[1])
    std = (square - mean.square()).clamp_min(0).sqrt().clamp_min(1e-8)
    return tuple(mean.tolist()), tuple(std.tolist())


def _short(values: Sequence[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def _mapped(place: Path, name: str, notes: Sequence[str] = ()) -> ImageData:
    """Return what is kept in `place`; images stay in their file until they are used.

    Args:
        place: the folder of a decoded listing.
        name: of the dataset.
        notes: what is known of the files, which are not decoded again.
    """
    try:
        about: dict[str, Any] = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        # mode c: written to, the tensor changes and the file does not
        images = torch.from_numpy(np.load(place / _IMAGES, mmap_mode="c"))
        labels = torch.from_numpy(np.load(place / _LABELS))
        spec = ImageSpec.from_json(about["images"])
        parts = (torch.split(each, about["counts"]) for each in (images, labels))
        train, val, test = map(Split, *parts)
        data = ImageData(
            name,
            train,
            val,
            test,
            spec,
            classes=tuple(about["classes"]),
            depth=int(about.get("depth", 16)),
            notes=(about["notes"][0], *notes, *about["notes"][1:]),
        )
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise DataError(
            f"{place} is damaged ({first_line(error)}): remove it, and it is made again"
        ) from error
    return data.with_provenance(digest=about.get("sha256"))
