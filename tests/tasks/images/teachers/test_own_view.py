"""A teacher's accuracy at its own image size and on the students' smaller images."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import diswot
from diswot.progress import Step
from diswot.tasks.images import ImageData, load_data
from diswot.tasks.images.teachers import (
    AsTrained,
    Predictions,
    ViewCheck,
    check_trained,
    compare_views,
    find_teacher,
)

SIDE, SMALL = 64, 16


class Stripes(nn.Module):
    """Separates fine vertical from horizontal stripes, which small images do not resolve."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))

    def forward(self, images: Tensor) -> Tensor:
        across, down = (images.diff(dim=side).abs().mean(dim=(1, 2, 3)) for side in (3, 2))
        logits: Tensor = self.head(torch.stack([across, down], dim=1))
        return logits + torch.tensor([0.0, 1e-4])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return photos(tmp_path, 40)


def photos(tmp_path: Path, count: int) -> Path:
    """Return photos of 64×80 pixels whose classes differ in single pixels."""
    stripes = np.indices((SIDE, 80)) % 2 * 255
    for name, pixels in (("upright", stripes[1]), ("level", stripes[0])):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            noisy = np.clip(pixels * 0.9 + number % 7, 0, 255).astype(np.uint8)
            image = Image.fromarray(np.repeat(noisy[..., None], 3, axis=2))
            image.putpixel((0, 0), (number % 256, number // 256, 255))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


def loaded(folder: Path, size: int, root: Path) -> ImageData:
    root.mkdir(exist_ok=True)
    return load_data(folder, image_size=size, root=root)


def compared(data: ImageData, size: int | None) -> tuple[ViewCheck | None, list[str]]:
    steps: list[Step] = []
    network = AsTrained(Stripes(), data.spec, mean=(0.5,) * 3, std=(0.5,) * 3, size=size)
    check = compare_views("stripes", Predictions(network, data), progress=steps.append)
    return check, [step.note for step in steps]


class Reversed(Stripes):
    """The same teacher for folders in alphabetical order, in which `level` is first."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).flip(1)


def test_a_loss_of_accuracy_is_reported_with_its_cause(folder: Path, tmp_path: Path) -> None:
    data = loaded(folder, SMALL, tmp_path / "data")
    steps: list[Step] = []
    network = AsTrained(Reversed(), data.spec, mean=(0.5,) * 3, std=(0.5,) * 3, size=SIDE)
    check = compare_views("stripes", Predictions(network, data), progress=steps.append)
    assert check is not None
    assert check.own.all()
    assert check.loses
    first, second = (step.note for step in steps)
    assert "100.0 % accuracy at its own size (64×64, from the original files)" in first
    assert "16×16 enlarged to 64×64" in first
    assert "warning: stripes loses" in second
    assert "--image-size" in second


class Counting(Reversed):
    """Counts its input images."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def forward(self, images: Tensor) -> Tensor:
        self.seen += len(images)
        return super().forward(images)


def test_of_a_large_data_set_only_the_validation_split_is_used(tmp_path: Path) -> None:
    """All 256 validation images are predicted once in each view, and no training image."""
    folder = photos(tmp_path, 150)
    decoded = loaded(folder, SMALL, tmp_path / "data")
    part, train = decoded.train, decoded.originals["train"]
    val = part.take(torch.arange(len(part)).repeat(2))
    originals = {"val": replace(train, paths=train.paths * 2)}
    data = replace(decoded, val=val, originals=originals)
    network = AsTrained(Counting(), data.spec, mean=(0.5,) * 3, std=(0.5,) * 3, size=SIDE)
    teacher = find_teacher(network, data.spec, classes=data.classes)
    assert teacher.weights is not None
    checked: Any = teacher.weights()
    steps: list[Step] = []
    before = checked.network.seen
    check_trained(teacher, checked, data, progress=steps.append, force=True)
    assert checked.network.seen - before == 2 * 256
    assert any("100.0 % accuracy at its own size" in step.note for step in steps)


def test_nothing_is_reported_if_images_are_large_enough(folder: Path, tmp_path: Path) -> None:
    data = loaded(folder, SIDE, tmp_path / "data")
    for size in (SIDE, SIDE // 2, None):
        assert compared(data, size) == (None, [])


def test_without_original_files_upscaling_is_reported() -> None:
    data = load_data("digits")
    check, (note,) = compared(data, 32)
    assert check is None
    assert "16×16 enlarged to 32×32" in note
    assert "is unknown" in note


def test_original_files_are_in_the_order_of_the_images(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):  # decoded, then read from the cache
        data = loaded(folder, SIDE, tmp_path / "data")
        for split in ("train", "val", "test"):
            images = getattr(data, split).images
            for place, whole in enumerate(data.originals[split].read(range(4), least=SIDE)):
                assert whole.shape == (3, 64, 80)
                middle = (whole[..., 8:72] * 255).round().byte()
                assert torch.equal(middle, images[place])


def test_a_large_original_is_read_at_a_bounded_size(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(12):
            image = Image.new("RGB", (600, 300), (number, 10, 20))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    data = loaded(tmp_path / "photos", 8, tmp_path / "data")
    (whole,) = data.originals["val"].read([0], least=50)
    assert whole.shape == (3, 50, 100)


def test_scores_and_distillations_report_the_comparison(folder: Path, tmp_path: Path) -> None:
    data = loaded(folder, SMALL, tmp_path / "data")
    network = AsTrained(Reversed(), data.spec, mean=(0.5,) * 3, std=(0.5,) * 3, size=SIDE)
    teacher = find_teacher(network, data.spec, classes=data.classes)
    assert teacher.weights is not None
    steps: list[Step] = []
    check_trained(teacher, teacher.weights(), data, progress=steps.append, force=True)
    assert any("at its own size" in step.note for step in steps)
    assert diswot.load_data(folder, image_size=SMALL, root=tmp_path / "data").originals
