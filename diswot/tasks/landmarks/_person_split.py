"""Random splits of landmark data, by person if persons are known."""

from collections.abc import Mapping

import numpy as np
import torch

from diswot.errors import DataError
from diswot.tasks.landmarks._landmark_images import LandmarkSplit

TEST_SHARE, VAL_SHARE = 0.2, 0.1
"""Shares of the training images that are held out, first for test, then for validation."""


def completed(found: Mapping[str, LandmarkSplit], *, where: str) -> dict[str, LandmarkSplit]:
    """Return train, val and test; missing splits are held out of the training images.

    A validation split without a test split is used as test split.

    Args:
        found: `train`, and optionally `val` and `test`.
        where: path of the data, for messages.

    Raises:
        DataError: there are no training images, or too few to hold some out.
    """
    if "train" not in found:
        raise DataError(
            f"{where} has no training images, but {', '.join(found)}: name a split train"
        )
    train, val, test = found["train"], found.get("val"), found.get("test")
    if test is None:
        val, test = None, val
    if test is None:
        train, test = _held_out(train, TEST_SHARE, where)
    if val is None:
        train, val = _held_out(train, VAL_SHARE, where)
    return {"train": train, "val": val, "test": test}


def _held_out(
    split: LandmarkSplit, share: float, where: str
) -> tuple[LandmarkSplit, LandmarkSplit]:
    # Imported here to keep the start of other commands fast.
    from sklearn.model_selection import GroupShuffleSplit

    persons = np.arange(len(split)) if split.persons is None else split.persons.numpy()
    if len(np.unique(persons)) < 2:
        whose = "images" if split.persons is None else "persons"
        raise DataError(
            f"{where}: no {whose} can be held out of {len(np.unique(persons))} for validation "
            f"and test: give more, at least three"
        )
    chosen = GroupShuffleSplit(n_splits=1, test_size=share, random_state=0)
    rest, held = next(chosen.split(persons, groups=persons))
    return split.take(torch.from_numpy(rest)), split.take(torch.from_numpy(held))
