"""The splits, classes and files of a folder of images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from diswot.errors import DataError
from diswot.files import irregular
from diswot.tasks import SPLITS
from diswot.tasks._names import in_order, named
from diswot.tasks._stratified_split import completed, held_out_of
from diswot.tasks.images._layout import find_layout
from diswot.tasks.images._walk import (
    LeftOut,
    by_suffixes,
    images_in,
    loose_images,
    subfolders,
)


@dataclass(frozen=True)
class ImageFile:
    """An image file and its class."""

    path: Path
    label: int


@dataclass(frozen=True)
class Listing:
    """The list of files of a folder of images.

    Attributes:
        root: the folder.
        classes: names of the classes, in order of their labels.
        splits: `train`, `val` and `test` → image files.
        notes: how they were found and split, and what was left out, as text.
    """

    root: Path
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[ImageFile, ...]]
    notes: tuple[str, ...]

    def digest(self, *settings: object) -> str:
        """Return the SHA-256 of all paths, sizes and modification times, and of `settings`."""
        content = hashlib.sha256(repr((settings, self.classes)).encode())
        for split, files in self.splits.items():
            for file in files:
                # Size and modification time instead of content: hashing a large folder is slow.
                relative = file.path.relative_to(self.root)
                content.update(repr((split, str(relative), *_state(file.path))).encode())
        return content.hexdigest()


def list_folder(root: Path, *, seed: int = 0) -> Listing:
    """List the images of a folder with class folders, or with splits of class folders.

    With a training and one other split, the other one is the test split, and a tenth of the
    training images is held out as validation split. Plain class folders are split at random
    by `seed`: a fifth is the test split, and a tenth of the rest the validation split.

    Raises:
        DataError: `root` is not a folder or cannot be read, its layout is ambiguous, there are
            fewer than two classes, a class has no images, or the splits have different classes.
    """
    try:
        _check_folder(root)
        left = LeftOut(root)
        layout = find_layout(root, left)
        results = {split: _image_files(place, left) for split, place in layout.splits.items()}
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror})") from error
    classes = _shared_classes(root, {split: names for split, (names, _) in results.items()})
    splits, division = _divided(
        {split: files for split, (_, files) in results.items()}, classes, seed
    )
    return Listing(root, classes, splits, (division, *layout.notes, *left.notes()))


def _check_folder(root: Path) -> None:
    if not root.is_dir():
        what = irregular(root) or ("a file" if root.is_file() else None)
        raise DataError(
            f"{root} is {what}, not a folder of images: unpack it, or name a folder"
            if what
            else f"no folder {root}: name a folder of images, or a dataset that exists"
        )


def _shared_classes(root: Path, by_split: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the classes of all splits.

    Raises:
        DataError: they differ.
    """
    first, classes = next(iter(by_split.items()))
    for split, others in by_split.items():
        if others != classes:
            raise DataError(
                f"{root} has other classes in its {split} split than in {first}: "
                f"{_difference(set(others), set(classes))}; give both the same class folders"
            )
    return classes


def _difference(one: set[str], other: set[str]) -> str:
    more, less = in_order(one - other), in_order(other - one)
    return "; ".join(
        [f"it has {named(more)}"] * bool(more) + [f"it lacks {named(less)}"] * bool(less)
    )


def _divided(
    found: Mapping[str, tuple[ImageFile, ...]], classes: tuple[str, ...], seed: int
) -> tuple[dict[str, tuple[ImageFile, ...]], str]:
    """Return train, val and test, and a note how they were split."""
    if "all" in found:
        message = "split with a fixed seed: a fifth for test, a tenth of the rest for validation"
        found = {"train": found["all"]}
    elif len(found) == len(SPLITS):
        message = "split as its folders are"
    else:
        (evaluated,) = found.keys() - {"train"}
        message = f"evaluated on the {evaluated} split; a tenth of train held out for validation"
    return completed(found, partial(_held_out, classes=classes, seed=seed)), message


def _held_out(
    files: tuple[ImageFile, ...], part: int, *, classes: tuple[str, ...], seed: int
) -> tuple[tuple[ImageFile, ...], tuple[ImageFile, ...]]:
    """Hold out one in `part` images at random, stratified by class."""
    labels = torch.tensor([file.label for file in files])
    rest, held = held_out_of(labels, part, seed, classes=classes)
    return tuple(files[i] for i in sorted(rest)), tuple(files[i] for i in sorted(held))


def _image_files(folder: Path, left: LeftOut) -> tuple[tuple[str, ...], tuple[ImageFile, ...]]:
    """Return the classes of a folder, and their images."""
    left.loose += loose_images(folder)
    classes = tuple(in_order(subfolder.name for subfolder in subfolders(folder, left)))
    if len(classes) < 2:
        has = f"one class folder, {classes[0]}" if classes else "no class folders"
        raise DataError(
            f"{folder} has {has}: expected a folder of images for each of two or more classes"
        )
    files = []
    for label, name in enumerate(classes):
        before = len(left.others)
        images = list(images_in(folder / name, left))
        if not images:
            others = by_suffixes(left.others[before:])
            raise DataError(
                f"the class folder {folder / name} has no images"
                + (f" of a known kind ({others}): convert them" if others else ": add some")
                + ", or remove it"
            )
        files += [ImageFile(path, label) for path in images]
    return classes, tuple(files)


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:  # a link to nothing is found unreadable with the damaged images
        return 0, 0
    return state.st_size, state.st_mtime_ns
