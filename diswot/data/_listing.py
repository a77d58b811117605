"""What lies in a folder of images: splits, classes, files."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from diswot.data._image_data import divided
from diswot.data._picture import SUFFIXES
from diswot.errors import DataError

SPLITS = ("train", "val", "test")
NAMED = 3
"""Files or classes that a message names; of more it says how many."""


@dataclass(frozen=True)
class Picture:
    """An image file and its class."""

    path: Path
    label: int


@dataclass(frozen=True)
class Listing:
    """A folder of images.

    Attributes:
        root: the folder.
        classes: names of its classes, sorted.
        splits: the files of `train`, `val` and `test`.
        division: how they were divided, for people.
        others: files that are no images.
    """

    root: Path
    classes: tuple[str, ...]
    splits: Mapping[str, tuple[Picture, ...]]
    division: str
    others: tuple[Path, ...]

    def digest(self, *settings: object) -> str:
        """SHA-256 of all paths, sizes and times of change, with `settings`."""
        content = hashlib.sha256(repr((settings, self.classes)).encode())
        for split, pictures in self.splits.items():
            for picture in pictures:
                relative = picture.path.relative_to(self.root)
                content.update(repr((split, str(relative), *_state(picture.path))).encode())
        return content.hexdigest()


def list_folder(root: Path, *, seed: int = 0) -> Listing:
    """Find the images in `root`: class folders, or `train/` with `val/`, `test/` or both.

    With `val/` alone, that is what is judged on, and a tenth of `train/` is held out to
    choose on; likewise with `test/` alone. Plain class folders are divided by `seed`: a
    fifth to judge on, a tenth of the rest to choose on. Files are sought in all depths of
    a class folder; hidden ones are passed over.

    Raises:
        DataError: it is no folder or cannot be read, there are fewer than two classes,
            one has no images, or the splits have different ones.
    """
    try:
        if not root.is_dir():
            raise DataError(f"no folder {root}: name a folder of images, or a dataset that exists")
        parts = {name: root / name for name in SPLITS if (root / name).is_dir()}
        if "train" not in parts or not _folders(parts["train"]):
            return _by_seed(root, seed)
        if len(parts) == 1:
            raise DataError(
                f"{root} has train/ but neither val/ nor test/: add one, or name {root / 'train'}, "
                "which is divided then"
            )
        return _as_named(root, parts, seed)
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror})") from error


def named(items: list[str]) -> str:
    """Name the first few, and say how many more there are."""
    more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
    return ", ".join(items[:NAMED]) + more


def _by_seed(root: Path, seed: int) -> Listing:
    classes, pictures, others = _pictures(root)
    rest, test = _divided(pictures, len(pictures) // 5, len(classes), seed)
    train, val = _divided(rest, len(rest) // 10, len(classes), seed)
    division = "divided by seed: a fifth to judge on, a tenth of the rest to choose on"
    return Listing(root, classes, {"train": train, "val": val, "test": test}, division, others)


def _as_named(root: Path, parts: Mapping[str, Path], seed: int) -> Listing:
    found = {name: _pictures(folder) for name, folder in parts.items()}
    classes = found["train"][0]
    for name, (others, _, _) in found.items():
        if others != classes:
            raise DataError(
                f"{root} has other classes in {name}/ than in train/: "
                f"{_difference(set(others), set(classes))}; give both the same class folders"
            )
    splits = {name: pictures for name, (_, pictures, _) in found.items()}
    division = "split as its folders are"
    if len(parts) == 2:
        (judged,) = parts.keys() - {"train"}
        train, val = _divided(splits["train"], len(splits["train"]) // 10, len(classes), seed)
        splits = {"train": train, "val": val, "test": splits[judged]}
        division = f"judged on {judged}/; a tenth of train/ held out to choose on"
    others_found = tuple(path for _, _, paths in found.values() for path in paths)
    return Listing(root, classes, {n: splits[n] for n in SPLITS}, division, others_found)


def _difference(one: set[str], other: set[str]) -> str:
    more, less = sorted(one - other), sorted(other - one)
    return "; ".join(
        [f"it has {named(more)}"] * bool(more) + [f"it lacks {named(less)}"] * bool(less)
    )


def _pictures(folder: Path) -> tuple[tuple[str, ...], tuple[Picture, ...], tuple[Path, ...]]:
    """Return the classes of a folder, their images, and the files that are none."""
    classes = tuple(place.name for place in _folders(folder))
    if len(classes) < 2:
        has = f"one class folder, {classes[0]}" if classes else "no class folders"
        raise DataError(
            f"{folder} has {has}: expected a folder of images for each of two or more classes"
        )
    pictures, others = [], []
    for label, name in enumerate(classes):
        files = list(_files(folder / name))
        images = [path for path in files if path.suffix.lower() in SUFFIXES]
        if not images:
            raise DataError(
                f"the class folder {folder / name} has no images: add some, or remove it"
            )
        pictures += [Picture(path, label) for path in images]
        others += [path for path in files if path.suffix.lower() not in SUFFIXES]
    return classes, tuple(pictures), tuple(others)


def _folders(folder: Path) -> list[Path]:
    places = (place for place in folder.iterdir() if not place.name.startswith("."))
    return sorted(place for place in places if place.is_dir())


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, onerror=_raised):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place, name) for name in sorted(files) if not name.startswith("."))


def _raised(error: OSError) -> None:
    raise error


def _divided(
    pictures: tuple[Picture, ...], count: int, num_classes: int, seed: int
) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Hold images out, classes in proportion, and at least as many as there are classes."""
    labels = torch.tensor([picture.label for picture in pictures])
    rest, held = divided(labels, max(count, num_classes), seed)
    return tuple(pictures[i] for i in sorted(rest)), tuple(pictures[i] for i in sorted(held))


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:  # a link to nothing is found unreadable with the damaged images
        return 0, 0
    return state.st_size, state.st_mtime_ns
