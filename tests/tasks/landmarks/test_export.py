"""An exported student prints the points of a photo as the network here finds them."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import diswot
from diswot.errors import ExportError
from diswot.export import Exported
from diswot.tasks import find_task
from diswot.tasks.landmarks import LandmarkData
from search_spaces import Signature, TensorSpec

FILES = ("student.py", "student.pt2", "student.onnx")


@pytest.fixture(scope="module")
def exported(
    outlines: LandmarkData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[nn.Module, Exported]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 4, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 32))
    folder = tmp_path_factory.mktemp("landmarks") / "student"
    data = replace(outlines, crop=0.25)
    return network, diswot.export(network, folder, data=data)


def printed(folder: Path, *arguments: str | Path) -> Tensor:
    program = [sys.executable, "-B", folder / "predict.py", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    return torch.tensor(json.loads(done.stdout))


def photo(path: Path) -> Image.Image:
    """Write a smooth gray photo of 30×40."""
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4)).astype(np.uint8)
    image = Image.fromarray(pixels).resize((30, 40), Image.Resampling.BICUBIC)
    image.save(path)
    return image


def found(network: nn.Module, data: LandmarkData, square: Image.Image) -> Tensor:
    """Return the points of a square image, in pixels from its upper left corner."""
    small = np.asarray(square.resize((16, 16), Image.Resampling.BILINEAR))
    with torch.inference_mode():
        output: Tensor = network.eval()(data.normalize(torch.from_numpy(small.copy())[None, None]))
    return (output[0].view(-1, 2) + 0.5) * square.width


@pytest.mark.parametrize("file", FILES)
def test_points_are_printed_in_pixels_of_the_photo(
    file: str, exported: tuple[nn.Module, Exported], outlines: LandmarkData, tmp_path: Path
) -> None:
    network, done = exported
    image = photo(tmp_path / "photo.png")
    whole = Image.new("L", (40, 40))
    whole.paste(image, (5, 0))
    expected = found(network, outlines, whole) - torch.tensor([5.5, 0.5])
    assert torch.allclose(printed(done.folder, tmp_path / "photo.png", file), expected, atol=2e-3)
    around = image.crop((6, 9, 24, 27))  # a box of 12 pixels, and a quarter of them beyond it
    expected = found(network, outlines, around) + torch.tensor([5.5, 8.5])
    box = printed(done.folder, tmp_path / "photo.png", file, "9,14,21,22")
    assert torch.allclose(box, expected, atol=2e-3)


def test_arrays_are_taken_as_they_are(
    exported: tuple[nn.Module, Exported], outlines: LandmarkData, tmp_path: Path
) -> None:
    network, done = exported
    pixels = outlines.test.images[0, 0].numpy()
    np.save(tmp_path / "one.npy", pixels[None])
    expected = found(network, outlines, Image.fromarray(pixels)) - 0.5
    assert torch.allclose(printed(done.folder, tmp_path / "one.npy"), expected, atol=2e-3)


def test_the_card_says_how_points_are_measured(exported: tuple[nn.Module, Exported]) -> None:
    _, done = exported
    card = (done.folder / "README.md").read_text()
    config = json.loads((done.folder / "config.json").read_text())
    assert config["task"] == "landmarks"
    assert (config["points"], config["normalizer"]) == (16, "image width")
    for words in (
        "keypoint-detection",
        "A network for 16 points in images of 1×16×16",
        f"| test NME (lower is better) | {done.forms['source'].measure} |",
        "in percent of the image width",
        "0.25 of its longer side",
    ):
        assert words in card, words
    for word in ("class", "accuracy", "logit"):
        assert word not in card.replace("classification", ""), word


def test_students_of_other_tasks_are_refused() -> None:
    signature = Signature((TensorSpec("images", (3, 8, 8)),), 10, {"mean": [0], "std": [1]})
    with pytest.raises(ExportError, match="describes no images with points"):
        find_task("landmarks").packaging(signature)
