"""Fixtures of tests of data: small folders of images, written by Pillow."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from PIL import Image

import diswot
from diswot.progress import Step
from diswot.tasks.images import ImageData
from tests.tasks.images.streaming import streamed, write_photos

Color: TypeAlias = "tuple[int, int, int] | int"


def save(path: Path, color: Color = (200, 100, 50), size: tuple[int, int] = (12, 12)) -> Path:
    """Write an image of one color, or of one gray value; `size` is (width, height)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(color, int) else "RGB", size, color).save(path)
    return path


def fill(folder: Path, classes: str = "ab", count: int = 10, suffix: str = ".png") -> Path:
    """Write class folders of images of different colors."""
    for label, name in enumerate(classes):
        for i in range(count):
            save(folder / name / f"{i:02}{suffix}", (40 * label, 10 * i, 100))
    return folder


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data root, which is separate from the images."""
    return tmp_path_factory.mktemp("kept")


Load: TypeAlias = Callable[..., tuple[ImageData, list[str]]]


@pytest.fixture
def load(kept: Path) -> Load:
    """Return a function that loads data and returns it with the reported messages."""

    def loaded(data: object, image_size: int | None = None) -> tuple[ImageData, list[str]]:
        notes: list[str] = []

        def report(step: Step) -> None:
            notes.extend([step.note] * (step.total == 0 and step.note != ""))

        return diswot.load_data(data, root=kept, image_size=image_size, progress=report), notes

    return loaded


def pixels_of(data: ImageData) -> np.ndarray:
    """Return all images of all splits."""
    return np.concatenate([s.images.numpy() for s in (data.train, data.val, data.test)])


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of photos in which the color of a pixel gives its position."""
    return write_photos(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="session")
def streamed_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data root with the index of these photos."""
    return tmp_path_factory.mktemp("streamed")


@pytest.fixture(scope="session")
def data(photos: Path, streamed_root: Path) -> ImageData:
    """Return these photos as streamed data, loaded in the training process."""
    return replace(streamed(photos, streamed_root), loader_workers=0)
