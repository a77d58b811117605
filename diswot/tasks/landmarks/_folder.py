"""Landmark data in a folder: images with `.pts` files or one CSV, or an archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from diswot.errors import DataError
from diswot.progress import Progress
from diswot.tasks._image_file import suffixes
from diswot.tasks.landmarks._archive import read_archive
from diswot.tasks.landmarks._decoding import Decoding, fixed_size
from diswot.tasks.landmarks._landmark_images import LandmarkSplit
from diswot.tasks.landmarks._reading import Annotation, read_csv, read_pts

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
"""Lower-case folder name → split."""

_NAMED = 3


@dataclass(frozen=True)
class Annotated:
    """An image file with its points.

    Attributes:
        path: path of the image.
        name: path relative to the folder.
        points: points in pixels, shape (K, 2); (0, 0) is the center of the first pixel.
        person: name of the person, if known.
    """

    path: Path
    name: str
    points: NDArray[np.float64]
    person: str | None = None


def read_splits(
    path: Path, *, image_size: int | None, crop: float | None, progress: Progress
) -> dict[str, LandmarkSplit]:
    """Read the splits of a folder of images with landmark files, or of an archive.

    Points are in one `.pts` file next to each image, of the same name; or in one CSV in the
    folder, with the columns image (a path relative to the folder), person (if known), x0, y0, x1,
    y1, …; or all is in one `.npz` archive. Folders `train`, `val` and `test` are the splits;
    without them all images are training images.

    Args:
        path: path of the folder, or of an `.npz` archive.
        image_size: height and width to which images are resized; see `Decoding`.
        crop: margin of the crop around the points; see `Decoding`.
        progress: called after every image that is read.

    Raises:
        DataError: a file is damaged, an image has no points or points have no image, images
            have different numbers of points, or points are not inside of their image.
        OptionError: `image_size` or `crop` is given for an archive.
    """
    if not path.exists():
        raise DataError(f"there is no {path}: give a folder of images with landmark files")
    images = _images(path)
    archives = [path] if path.is_file() else sorted(path.glob("*.npz"))
    if len(archives) == 1 and not images:
        if image_size is not None or crop is not None:
            raise fixed_size(str(archives[0]))
        return read_archive(archives[0])
    if not images:
        raise DataError(
            f"{path} has no images: expected images with a .pts file each or one CSV, or one "
            f".npz archive (there are {len(archives)})"
        )
    result = _annotated(path, images)
    _check_counts(path, result)
    decoding = Decoding.of(result, image_size=image_size, crop=crop, where=str(path))
    by_split: dict[str, list[Annotated]] = {}
    for split, item in zip(_splits(path, result), result, strict=True):
        by_split.setdefault(split, []).append(item)
    return {split: _decoded(decoding, item, progress) for split, item in by_split.items()}


def _images(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes() and path.is_file() and not _is_hidden(path, folder)
    )


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _annotated(folder: Path, images: Sequence[Path]) -> list[Annotated]:
    """Return the images with their points, from a CSV or from `.pts` files."""
    tables = sorted(folder.glob("*.csv"))
    points = sorted(path for path in folder.rglob("*.pts") if not _is_hidden(path, folder))
    if len(tables) > 1 or (tables and points):
        names = _names([path.relative_to(folder) for path in (*tables, *points)])
        raise DataError(f"{folder}: expected one CSV or .pts files, but got {names}: remove others")
    if tables:
        return _of_table(folder, images, tables[0])
    if not points:
        raise DataError(
            f"{folder} has no landmark files: add a .pts file to each image, or one CSV"
        )
    return _of_pts(folder, images, points)


def _of_table(folder: Path, images: Sequence[Path], table: Path) -> list[Annotated]:
    by_name: Mapping[str, Annotation] = read_csv(table)
    names = {path: path.relative_to(folder).as_posix() for path in images}
    _check_pairs(folder, set(names.values()), set(by_name), table.name)
    return [
        Annotated(path, name, by_name[name].points, by_name[name].person)
        for path, name in names.items()
    ]


def _of_pts(folder: Path, images: Sequence[Path], points: Sequence[Path]) -> list[Annotated]:
    by_stem: dict[str, Path] = {}
    for path in images:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in by_stem:
            raise DataError(
                f"{folder}: {by_stem[stem].name} and {path.name} would have the same .pts file: "
                "rename one"
            )
        by_stem[stem] = path
    files = {path.relative_to(folder).with_suffix("").as_posix(): path for path in points}
    _check_pairs(folder, set(by_stem), set(files), ".pts files")
    return [
        Annotated(path, path.relative_to(folder).as_posix(), read_pts(files[stem]))
        for stem, path in by_stem.items()
    ]


def _check_pairs(folder: Path, images: set[str], points: set[str], where: str) -> None:
    """Check that images and entries of points correspond one to one."""
    for what, lacking in (
        ("images have no points", images - points),
        ("entries have no image", points - images),
    ):
        if lacking:
            raise DataError(
                f"{folder}, {where}: {len(lacking):,} {what}: {_names(sorted(lacking))}; add what "
                "is missing, or remove them"
            )


def _check_counts(folder: Path, found: Sequence[Annotated]) -> None:
    first = found[0]
    for item in found:
        if len(item.points) != len(first.points):
            raise DataError(
                f"{folder}: {first.name} has {len(first.points)} points, but {item.name} has "
                f"{len(item.points)}: all images need the same points"
            )


def _splits(folder: Path, found: Sequence[Annotated]) -> list[str]:
    """Return the split of each image, from the name of its top-level folder."""
    tops = [Path(item.name).parts[0].lower() for item in found]
    named = [SPLIT_FOLDERS.get(top) for top in tops]
    if not any(named):
        return ["train"] * len(found)
    if None in named:
        loose = [item.name for item, split in zip(found, named, strict=True) if split is None]
        raise DataError(
            f"{folder} has folders for splits, but {len(loose):,} images lie outside of them: "
            f"{_names(loose)}; move them into train, val or test"
        )
    return [split for split in named if split is not None]


def _decoded(decoding: Decoding, found: Sequence[Annotated], progress: Progress) -> LandmarkSplit:
    images, points = decoding.read(found, progress=progress)
    persons = [item.person for item in found if item.person is not None]
    if len(persons) < len(found):
        return LandmarkSplit(images, points)
    _, numbers = np.unique(persons, return_inverse=True)
    return LandmarkSplit(images, points, torch.from_numpy(numbers))


def _names(names: Sequence[object]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(str, names[:_NAMED])) + more
