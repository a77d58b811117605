"""Datasets of landmarks by name, in folders, or made by the user."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from diswot.errors import DataError, OptionError, UnknownNameError, first_line
from diswot.progress import Progress, news, silent
from diswot.references import is_reference, resolve
from diswot.tasks._dataset import SPLITS
from diswot.tasks._root import data_root
from diswot.tasks._source import NamedData
from diswot.tasks.landmarks._decoding import fixed_size
from diswot.tasks.landmarks._digit_outlines import digit_outlines
from diswot.tasks.landmarks._error import NORMALIZERS, Normalizer
from diswot.tasks.landmarks._folder import read_splits
from diswot.tasks.landmarks._holding_out import completed
from diswot.tasks.landmarks._landmark_data import LandmarkData, LandmarkSplit
from diswot.tasks.landmarks._points import FACE_POINTS, default_normalizer, mirrored_face

DATASETS: Mapping[str, str] = {
    "digit-outlines": "outlines of the digits of scikit-learn: 16 points, always there",
    "faces-68": "faces with 68 points: faces-68/ under the data root",
}
"""Built-in datasets."""

NAMED_DATA = NamedData(DATASETS)
"""Texts that stand for built-in datasets, folders and archives, and never for code."""

LARGEST_IMAGE = 4096


def check_landmarks(
    data: Any,
    *,
    image_size: int | None = None,
    crop: float | None = None,
    normalizer: Normalizer | None = None,
) -> None:
    """Raise what can be said of landmarks that are asked for before anything is read.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has a value that it cannot have.
    """
    if image_size is not None and not 8 <= image_size <= LARGEST_IMAGE:
        raise OptionError(
            f"Expected image_size to be from 8 to {LARGEST_IMAGE} pixels, but got {image_size}"
        )
    if crop is not None and not 0 <= crop <= 10:
        raise OptionError(f"Expected crop to be from 0 to 10, but got {crop}")
    if normalizer is not None and normalizer not in NORMALIZERS:
        known = ", ".join(get_args(Normalizer))
        raise OptionError(f"Expected a normalizer of {known}, but got {normalizer!r}")
    if isinstance(data, LandmarkData | Path):
        return
    if not isinstance(data, str):
        raise OptionError(
            f"Expected landmarks as a name, a folder, package.module:callable or LandmarkData, "
            f"but got {type(data).__name__}"
        )
    if not NAMED_DATA.is_path(data) and not is_reference(data) and data not in DATASETS:
        also = " (or give a folder of images with landmark files, or package.module:callable)"
        raise UnknownNameError("dataset of landmarks", data, DATASETS, also=also)


def load_landmarks(
    data: Any,
    *,
    root: str | Path | None = None,
    image_size: int | None = None,
    crop: float | None = None,
    normalizer: Normalizer | None = None,
    progress: Progress = silent,
) -> LandmarkData:
    """Return the landmarks that are meant.

    Args:
        data: a built-in name; a folder of images with landmark files, or a `.npz` archive, as a
            path or as text that is one; `package.module:callable`, which returns a
            `LandmarkData`; or one itself.
        root: the data root; by default the variable `DISWOT_DATA`, else the user's cache.
        image_size: height and width that image files are brought to; by default their own where
            it is the same and at most 224 pixels, else 96.
        crop: cut images to the square around their points and this share of its side beyond it
            on every side, as for faces in photos; by default images are taken whole.
        normalizer: what errors are divided by: `inter-ocular`, `box` or `width`; by default that
            of the dataset, inter-ocular for 68 points and box for others.
        progress: receives what was inferred, and progress in images that are decoded.

    Raises:
        UnknownNameError: no dataset has that name.
        OptionError: an option has a value that it cannot have.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_landmarks("digit-outlines").summary()
        'digit-outlines: 600 train, 200 val, 997 test images of 1×16×16, 16 points'
    """
    check_landmarks(data, image_size=image_size, crop=crop, normalizer=normalizer)
    found = _found(data, root, image_size, crop, progress)
    if found is not data:
        for note in found.notes:
            progress(news("data", note, can_wait=data == "digit-outlines"))
        own = {"image_size": image_size, "crop": crop, "normalizer": normalizer}
        found = replace(found, source=NAMED_DATA.source(data, root, **own))
    if normalizer is None:
        return found
    NORMALIZERS[normalizer](found.test.points[:1], found.shape[2])  # does it fit these points?
    return replace(found, normalizer=normalizer)


def _found(
    data: Any, root: str | Path | None, image_size: int | None, crop: float | None, tell: Progress
) -> LandmarkData:
    path = _path_of(data, root)
    if path is not None:
        splits = read_splits(path, image_size=image_size, crop=crop, progress=tell)
        return _assembled(path.resolve().stem, splits, crop=crop, where=str(path))
    if image_size is not None or crop is not None:
        raise fixed_size(str(data) if isinstance(data, str) else data.name)
    if isinstance(data, LandmarkData):
        return data
    return _called(data) if is_reference(data) else digit_outlines()


def _path_of(data: Any, root: str | Path | None) -> Path | None:
    """Return the folder or archive that is meant, where it is one."""
    if data == "faces-68":
        path = data_root(root) / "faces-68"
        if not path.is_dir():
            raise DataError(f"there is no folder {path}: name the root that has it (--data-root)")
        return path
    if isinstance(data, Path) or (isinstance(data, str) and NAMED_DATA.is_path(data)):
        return Path(os.path.expanduser(data))  # noqa: PTH111  (Path raises if no such user is)
    return None


def _assembled(
    name: str, found: Mapping[str, LandmarkSplit], *, crop: float | None, where: str
) -> LandmarkData:
    """Return the dataset of some splits, with what is known of its points."""
    splits = completed(found, where=where)
    points = splits["train"].points.shape[1]
    held_out = [split for split in SPLITS if split not in found and split != "train"]
    whole = " by person" if splits["train"].persons is not None else ""
    notes = [f"{' and '.join(held_out)} held out of the training images{whole}"] * bool(held_out)
    if points == FACE_POINTS:
        notes.append("68 points are taken for those of 300-W, in its order")
    else:
        notes.append("images are not mirrored: which points change places is not known")
    mirror = mirrored_face() if points == FACE_POINTS else None
    normalizer = default_normalizer(points)
    return LandmarkData(
        name,
        splits["train"],
        splits["val"],
        splits["test"],
        normalizer,
        mirror=mirror,
        crop=crop,
        notes=tuple(notes),
    )


def _called(reference: str) -> LandmarkData:
    make = resolve(reference, kind="dataset")
    try:
        found = make()
    except Exception as error:
        raise DataError(
            f"dataset {reference}: calling it raised {type(error).__name__}: "
            f"{first_line(error)}; fix the callable"
        ) from error
    if not isinstance(found, LandmarkData):
        raise DataError(
            f"dataset {reference}: expected it to return diswot.tasks.landmarks.LandmarkData, but "
            f"got {type(found).__name__}"
        )
    return found
