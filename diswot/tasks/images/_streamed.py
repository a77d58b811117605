"""Streamed folders of images: the cache has an index, but no pixels."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from diswot.files import open_file
from diswot.progress import Progress
from diswot.tasks import SPLITS
from diswot.tasks._image_file import read_image
from diswot.tasks.images._duplicates import fingerprint, repeated
from diswot.tasks.images._folder_headers import FolderHeaders, entries_of
from diswot.tasks.images._image_cache import (
    about,
    assembled,
    complete,
    describe,
    labels_of,
    named_if_damaged,
)
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._listing import Listing
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._streamed_split import StreamedSplit

FORMAT = "streamed 1"
"""Version of the index; change it if the same folder would be indexed differently."""

_FILES, _PLACES = "files.npy", "places.npy"


def write_index(headers: FolderHeaders, progress: Progress, path: Path) -> None:
    """Read all images once, and write an index with labels and hashes to the folder `path`.

    Raises:
        DataError: too many images are unreadable.
    """
    labels: dict[str, list[int]] = {split: [] for split in SPLITS}
    places, contents, prints = [], bytearray(), []
    read = partial(_known_of, shape=headers.shape, depth=headers.depth)
    result = headers.reading.each(read, stage="check", progress=progress)
    for number, (known, (split, image)) in enumerate(zip(result, headers.entries, strict=True)):
        if known is not None:
            places.append(number)
            contents += known[0]
            prints.append(known[1])
            labels[split].append(image.label)
    np.save(path / _PLACES, np.array(places, dtype=np.int64))
    np.save(path / _FILES, np.frombuffer(bytes(contents), dtype=np.uint8).reshape(-1, 32))
    splits = _splits(path, headers.listing, labels, (headers.shape, headers.depth))
    describe(path, headers, labels, train=splits[0])
    # Pixels are not kept, so duplicates are found by fingerprints.
    ends = np.cumsum([len(split) for split in splits])[:-1]
    equal = repeated(
        np.split(np.array(prints, dtype=np.uint64), ends), [split.labels for split in splits]
    )
    complete(path, read_streamed(path, headers.listing), equal)


def read_streamed(path: Path, listing: Listing) -> ImageData:
    """Return the streamed data of a listing, given its index in `path`.

    Raises:
        DataError: the index is damaged.
    """
    known = about(path)
    with named_if_damaged(path):
        parts = torch.split(labels_of(path), known["counts"])
        labels = {str(name): part.tolist() for name, part in zip(SPLITS, parts, strict=True)}
        form = known["images"].shape, int(known["depth"])
        splits = _splits(path, listing, labels, form)
        # The digest is that of the files' hashes, since pixels are not kept.
        data = assembled(splits, known, listing.root.resolve().name, listing.notes)
    originals = {str(name): split.originals for name, split in zip(SPLITS, splits, strict=True)}
    return data.with_provenance(originals=originals)


def _splits(
    path: Path,
    listing: Listing,
    labels: Mapping[str, Sequence[int]],
    form: tuple[tuple[int, int, int], int],
) -> list[StreamedSplit]:
    """Return the streamed splits of a listing, given its index in `path`.

    Args:
        path: the folder of the index.
        listing: list of files.
        labels: split → classes of the readable images.
        form: (channels, height, width) of the images, and the depth of gray ones.
    """
    entries, shape = entries_of(listing), form[0]
    paths = [entries[number][1].path for number in np.load(path / _PLACES).tolist()]
    contents, ends = np.load(path / _FILES), np.cumsum([len(labels[name]) for name in SPLITS])
    if not len(paths) == len(contents) == ends[-1]:
        raise ValueError(f"{len(paths)} files, {len(contents)} hashes and {ends[-1]} classes")
    return [
        StreamedSplit(
            torch.empty(len(labels[name]), *shape, dtype=torch.uint8, device="meta"),
            torch.tensor(labels[name]),
            Originals(tuple(paths[end - len(labels[name]) : end]), shape[0], form[1]),
            contents[end - len(labels[name]) : end],
        )
        for name, end in zip(SPLITS, ends.tolist(), strict=True)
    ]


def _known_of(path: Path, *, shape: tuple[int, int, int], depth: int) -> tuple[bytes, int]:
    """Return the SHA-256 of a file, and the fingerprint of its decoded image."""
    print_of = fingerprint(read_image(path, shape, depth=depth))
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").digest(), print_of
