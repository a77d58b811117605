"""Landmark data in a NumPy archive: images, points and persons of each split."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from diswot.errors import DataError, first_line
from diswot.files import open_file
from diswot.tasks._examples import SPLITS
from diswot.tasks.landmarks._landmark_images import LandmarkSplit
from diswot.tasks.landmarks._points import PIXEL_CENTER, check_points


def read_archive(path: Path) -> dict[str, LandmarkSplit]:
    """Read the splits of an archive such as `faces.npz`.

    For each split (`train`, and optionally `val` and `test`) it contains `train_images` (n, H, W)
    or (n, H, W, C), uint8; `train_landmarks` (n, K, 2), x and y in pixels, where (0, 0) is the
    center of the first pixel; and optionally `train_person` (n,), a number per person.

    Raises:
        DataError: the archive is damaged, or arrays are missing or do not fit.
    """
    arrays = _arrays(path)
    names = [split for split in SPLITS if f"{split}_images" in arrays]
    if not names:
        raise DataError(
            f"{path} has no array train_images, but {', '.join(sorted(arrays)[:5]) or 'none'}: "
            "expected train_images, train_landmarks and, where known, train_person"
        )
    splits: dict[str, LandmarkSplit] = {split: _split(path, arrays, split) for split in names}
    forms = {(item.images.shape[1:], item.points.shape[1]) for item in splits.values()}
    if len(forms) > 1:
        texts = " and ".join(f"{'×'.join(map(str, form))} with {k}" for form, k in sorted(forms))
        raise DataError(f"{path}: expected images and points of one kind, but got {texts} points")
    return splits


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with open_file(path) as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise DataError(f"{path} is not a .npz archive: save it with numpy.savez")
            return dict(archive)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read ({first_line(error)}): save it again") from error


def _split(path: Path, arrays: Mapping[str, NDArray[np.generic]], split: str) -> LandmarkSplit:
    images, points = arrays[f"{split}_images"], arrays.get(f"{split}_landmarks")
    persons = arrays.get(f"{split}_person")
    if points is None:
        raise DataError(f"{path} has {split}_images but no {split}_landmarks: add them")
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or not images.size:
        raise DataError(
            f"{path}: expected {split}_images (n, H, W) or (n, H, W, C) of type uint8, but got "
            f"{images.shape} of type {images.dtype}"
        )
    if points.ndim != 3 or points.shape[2] != 2 or not np.issubdtype(points.dtype, np.number):
        raise DataError(
            f"{path}: expected {split}_landmarks (n, K, 2), but got {points.shape} of type "
            f"{points.dtype}"
        )
    counts = {"images": len(images), "landmarks": len(points)}
    counts |= {} if persons is None else {"person": len(persons)}
    if len(set(counts.values())) > 1:
        texts = ", ".join(f"{count:,} {split}_{name}" for name, count in counts.items())
        raise DataError(f"{path}: expected one entry for each image, but got {texts}")
    sizes = np.tile([images.shape[2], images.shape[1]], (len(images), 1))
    names = [f"{split} image {number}" for number in range(len(images))]
    located = points.astype(np.float64)
    check_points(located, sizes, names, where=str(path))
    channels_last = images if images.ndim == 4 else images[..., None]
    return LandmarkSplit(
        torch.from_numpy(np.ascontiguousarray(np.moveaxis(channels_last, 3, 1))),
        torch.from_numpy(located + PIXEL_CENTER).float(),
        None if persons is None else torch.from_numpy(np.unique(persons, return_inverse=True)[1]),
    )
