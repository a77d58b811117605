"""Landmark datasets by name, from folders, or from users' code."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from diswot.errors import DataError, OptionError
from diswot.options import takes_options
from diswot.progress import Progress, message, silent
from diswot.tasks._examples import SPLITS
from diswot.tasks._named_data import NamedData, datasets_of
from diswot.tasks.landmarks._decoding import fixed_size
from diswot.tasks.landmarks._digit_outlines import digit_outlines
from diswot.tasks.landmarks._error import NORMALIZERS, Normalizer
from diswot.tasks.landmarks._folder import read_splits
from diswot.tasks.landmarks._landmark_data import LandmarkData
from diswot.tasks.landmarks._landmark_images import LandmarkSplit
from diswot.tasks.landmarks._options import LandmarkOptions
from diswot.tasks.landmarks._person_split import completed
from diswot.tasks.landmarks._points import FACE_POINTS, default_normalizer, mirrored_face


def faces_68(root: Path) -> Path:
    """Return the folder of faces with 68 points, `faces-68/` under the data root.

    Raises:
        DataError: the folder does not exist.
    """
    path = root / "faces-68"
    if not path.is_dir():
        raise DataError(f"there is no folder {path}: name the root that has it (--data-root)")
    return path


DATASETS = datasets_of(
    "landmarks",
    {"digit-outlines": digit_outlines, "faces-68": faces_68},
    kind="dataset of landmarks",
)
"""Name → function that returns the data, or the folder to read, given a data root."""

NAMED_DATA = NamedData(DATASETS, "a folder of images with landmark files")
"""Resolver of names, folders and `package.module:callable`."""


@takes_options
def check_landmarks(data: Any, **options: Unpack[LandmarkOptions]) -> None:  # noqa: ARG001  (checked)
    """Check the name and options of landmark data before anything is read.

    Raises:
        UnknownNameError: no dataset or normalizer has that name.
        OptionError: an option has an invalid value.
    """
    if isinstance(data, LandmarkData | Path):
        return
    if not isinstance(data, str):
        raise OptionError(
            f"Expected landmarks as a name, a folder, package.module:callable or LandmarkData, "
            f"but got {type(data).__name__}"
        )
    NAMED_DATA.check(data)


def load_landmarks(
    data: Any,
    *,
    root: str | Path | None = None,
    image_size: int | None = None,
    crop: float | None = None,
    normalizer: Normalizer | None = None,
    progress: Progress = silent,
) -> LandmarkData:
    """Load landmark data.

    Args:
        data: a built-in name; a folder of images with landmark files, or a `.npz` archive, as a
            path or as text that is one; `package.module:callable`, which returns a
            `LandmarkData`; or one itself.
        root: the data root; by default the environment variable `DISWOT_DATA`, else the user's
            cache.
        image_size: height and width to which image files are resized; by default their own if it
            is the same for all and at most 224 pixels, else 96.
        crop: cut images to the square around their points and this share of its side beyond it
            on every side, as for faces in photos; by default images are taken whole.
        normalizer: divisor of errors: `inter-ocular`, `box` or `width`; by default that of the
            dataset, inter-ocular for 68 points and box for others.
        progress: called with inferred properties, and with the progress of decoding.

    Raises:
        UnknownNameError: no dataset or normalizer has that name.
        OptionError: an option has an invalid value.
        DataError: the dataset is missing, damaged or unfit.

    Examples:
        >>> load_landmarks("digit-outlines").summary()
        'digit-outlines: 600 train, 200 val, 997 test images of 1×16×16, 16 points'
    """
    check_landmarks(data, image_size=image_size, crop=crop, normalizer=normalizer)
    result = _found(data, root, image_size, crop, progress)
    if result is not data:
        for note in result.notes:
            progress(message("data", note))
        own_options = {"image_size": image_size, "crop": crop, "normalizer": normalizer}
        result = replace(result, source=NAMED_DATA.source(data, root, **own_options))
    if normalizer is None:
        return result
    NORMALIZERS[normalizer](result.test.points[:1], result.shape[2])  # raises if it does not fit
    return replace(result, normalizer=normalizer)


def _found(
    data: Any, root: str | Path | None, image_size: int | None, crop: float | None, report: Progress
) -> LandmarkData:
    result = NAMED_DATA.path(data) or data
    if isinstance(result, str):
        result = NAMED_DATA.made(result, root)
    if isinstance(result, Path):
        splits = read_splits(result, image_size=image_size, crop=crop, progress=report)
        return _assembled(result.resolve().stem, splits, crop=crop, where=str(result))
    if not isinstance(result, LandmarkData):
        raise DataError(
            f"dataset {data}: expected it to return diswot.tasks.landmarks.LandmarkData, but "
            f"got {type(result).__name__}"
        )
    if image_size is not None or crop is not None:
        raise fixed_size(result.name)
    return result


def _assembled(
    name: str, found: Mapping[str, LandmarkSplit], *, crop: float | None, where: str
) -> LandmarkData:
    """Assemble a dataset from its splits, with defaults for its number of points."""
    splits = completed(found, where=where)
    points = splits["train"].points.shape[1]
    held_out = [split for split in SPLITS if split not in found and split != "train"]
    whole = " by person" if splits["train"].persons is not None else ""
    notes = [f"{' and '.join(held_out)} held out of the training images{whole}"] * bool(held_out)
    if points == FACE_POINTS:
        notes.append("the 68 points are assumed to be those of 300-W, in its order")
    else:
        notes.append("images are not flipped, because points have no known counterparts")
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
