"""Folders of images with points, and the built-in data."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from diswot.tasks.landmarks import LandmarkData, load_landmarks

Made: TypeAlias = Callable[..., Path]


@pytest.fixture(scope="session")
def outlines() -> LandmarkData:
    return load_landmarks("digit-outlines")


def dots(seed: int, width: int, height: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return a black image with three white pixels, and their positions."""
    rng = np.random.default_rng(seed)
    columns, rows = (rng.choice(side - 8, 3, replace=False) + 4 for side in (width, height))
    image = np.zeros((height, width), np.uint8)
    image[rows, columns] = 255
    return image, np.stack([columns, rows], axis=1).astype(float)


def write_pts(path: Path, points: NDArray[np.float64]) -> None:
    """Write a `.pts` file, whose coordinates start at 1."""
    lines = "\n".join(f"{x + 1} {y + 1}" for x, y in points)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n")


@pytest.fixture
def pts_folder(tmp_path: Path) -> Made:
    """Return a function that writes a folder of images, each with a `.pts` file."""

    def make(
        names: tuple[str, ...] = tuple(f"{number}.png" for number in range(20)),
        sizes: Mapping[str, tuple[int, int]] | None = None,
    ) -> Path:
        folder = tmp_path / "dots"
        for seed, name in enumerate(names):
            image, points = dots(seed, *(sizes or {}).get(name, (24, 24)))
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path)
            write_pts(path.with_suffix(".pts"), points)
        return folder

    return make
