"""Detection of the layout of a folder of images: class folders, or splits with such."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diswot.errors import DataError
from diswot.tasks import SPLITS
from diswot.tasks._names import named
from diswot.tasks._split_names import (
    MEANINGS,
    are_folds,
    check_unambiguous,
    means_unlabeled,
    split_names,
)
from diswot.tasks.images._walk import LeftOut, has_images, loose_images, subfolders


@dataclass(frozen=True)
class Layout:
    """Folders of class folders.

    Attributes:
        splits: split → its folder; only the key "all" if there are no splits.
        notes: how they were found, as text.
    """

    splits: Mapping[str, Path]
    notes: tuple[str, ...] = ()


def find_layout(root: Path, left: LeftOut) -> Layout:
    """Find the splits of a folder of images, if it has any.

    A folder is a split if its name is that of a split and it contains class folders. Single
    folders around the splits, or around a split's class folders, are skipped.

    Raises:
        DataError: the layout is ambiguous or incomplete.
    """
    # 1. Candidates: subfolders whose names are those of splits, such as train or validation.
    folder = _looked_through(root)
    names = [place.name for place in subfolders(folder, LeftOut(root))]
    empty = [name for name in names if split_names([name]) and not has_images(folder / name)]
    names = [name for name in names if name not in empty]
    likely = split_names(names)
    holders = {name: found for name in likely if (found := _holder(folder / name))}
    notes = [f"read from {folder.relative_to(root)}/"] * (folder != root)
    notes += [f"folders without images left out: {named([f'{n}/' for n in empty])}"] * bool(empty)
    # 2. Without class folders in any of them, all subfolders are classes.
    if not holders:
        return Layout({"all": folder}, (*notes, *_without_splits(folder, names, likely)))
    # 3. Otherwise check that other folders are not classes, and that there are enough splits.
    _check_neighbors(folder, set(names) - set(likely), holders, left)
    left.unlabeled += [folder / name for name in likely if name not in holders]
    left.loose += loose_images(folder)
    by_split = check_unambiguous({name: likely[name] for name in holders}, str(folder))
    _check_enough(folder, by_split, left)
    splits: dict[str, Path] = {
        split: holders[by_split[split]] for split in SPLITS if split in by_split
    }
    if any(place != root / split for split, place in splits.items()):
        places = [f"{place.relative_to(root)}/ for {split}" for split, place in splits.items()]
        notes.append(f"folders taken as splits: {', '.join(places)}")
    return Layout(splits, tuple(notes))


def _looked_through(root: Path) -> Path:
    """Descend while a folder contains only one folder, whose subfolders contain images."""
    folder, seen = root, {root.resolve()}
    while not loose_images(folder):
        bearing = _bearing(folder)
        if len(bearing) != 1 or split_names([bearing[0].name]) or loose_images(bearing[0]):
            break
        if bearing[0].resolve() in seen:
            break
        folder = bearing[0]
        seen.add(folder.resolve())
    return folder


def _holder(path: Path) -> Path | None:
    """Return the folder that contains a split's class folders; `None` without any."""
    seen = {path.resolve()}
    while inner := _bearing(path):
        if len(inner) > 1:
            return path
        (only,) = inner
        if loose_images(path) or only.resolve() in seen:
            return None
        if not _bearing(only) or loose_images(only):
            return None if _is_wrapper(only, path) else path
        path = only
        seen.add(path.resolve())
    return None


def _bearing(path: Path) -> list[Path]:
    """Return the subfolders that contain images at any depth."""
    return [inner for inner in subfolders(path, LeftOut(path)) if has_images(inner)]


def _is_wrapper(inner: Path, path: Path) -> bool:
    """Return whether a split's only folder is not a class, as in `test/test` or `test/images`."""
    return inner.name == path.name or inner.name.lower() in ("images", "imgs", "data")


def _check_neighbors(
    folder: Path, others: set[str], holders: Mapping[str, Path], left: LeftOut
) -> None:
    """Check that no sibling of the splits may be a class, or a split of another name."""
    bearing = sorted(name for name in others if has_images(folder / name))
    unlabeled = [name for name in bearing if means_unlabeled(name) and not _holder(folder / name)]
    left.unlabeled += [folder / name for name in unlabeled]
    if strange := [f"{name}/" for name in bearing if name not in unlabeled]:
        raise DataError(
            f"{folder} has {named(sorted(f'{name}/' for name in holders))} with class folders, "
            f"like splits, and also {named(strange)}: move folders that are not splits out of it "
            f"(or, if all are classes, rename {min(holders)}/)"
        )


def _check_enough(folder: Path, by_split: Mapping[str, str], left: LeftOut) -> None:
    unlabeled = (
        f" (no class folders in {named([f'{place.name}/' for place in left.unlabeled])})"
        if left.unlabeled
        else ""
    )
    if "train" not in by_split:
        has = " and ".join(f"{name}/" for name in by_split.values())
        raise DataError(
            f"{folder} has {has}{unlabeled} but no folder of training images: name that train/, "
            f"or name {folder / min(by_split.values())}, which will then be split"
        )
    if len(by_split) == 1:
        train = by_split["train"]
        raise DataError(
            f"{folder} has {train}/ but neither val/ nor test/{unlabeled}: add one, or name "
            f"{folder / train}, which will then be split"
        )


def _without_splits(folder: Path, names: list[str], likely: Mapping[str, str]) -> list[str]:
    """Check class folders, and return notes on doubtful ones.

    Raises:
        DataError: they look like splits.
    """
    if len(likely) > 1 or (likely and len(likely) == len(names)):
        text = named([f"{name}/" for name in likely])
        raise DataError(
            f"{folder} has {text}, named as splits, but without class folders of images in them: "
            "put the images of each class in a folder of its own (or, if these are classes, "
            "rename them)"
        )
    if are_folds(names):
        raise DataError(
            f"{folder} has {named([f'{name}/' for name in names])}, which are folds or parts, "
            f"not classes: merge them as train/ and test/, each with class folders"
        )
    notes = [f"{name}/ is taken for a class: it holds images and no folders" for name in likely]
    return notes + _shared_inside(folder, names)


def _shared_inside(folder: Path, names: list[str]) -> list[str]:
    """Return a note if all folders have equal subfolders, which may be the classes."""
    inside = [
        {inner.name for inner in subfolders(folder / name, LeftOut(folder))} for name in names
    ]
    shared = sorted(set.intersection(*inside)) if len(inside) > 1 else []
    within = split_names(shared)
    if {"train"} < set(within.values()):
        raise DataError(
            f"the class folders of {folder} have {named([f'{name}/' for name in within])} within "
            f"them: put the splits first, as in {min(within)}/{names[0]}/"
        )
    if len(shared) < 2 or any(loose_images(folder / name) for name in names):
        return []
    return [
        f"warning: {named([f'{name}/' for name in names])} are taken for classes, but each holds "
        f"{named([f'{name}/' for name in shared])}; if those are the classes, name one of the "
        f"former, or call them {', '.join(MEANINGS)}"
    ]
