"""An exported student prints the points that the network predicts."""

import json
from collections.abc import Sequence
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
from tests.forked import run_programs

pytestmark = pytest.mark.processes
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


def printed(folder: Path, *arguments: Sequence[str | Path]) -> list[Tensor]:
    """Return the output of the script for each set of arguments."""
    programs = [(folder / "predict.py", *each) for each in arguments]
    ended = run_programs(programs, imports="torch,onnxruntime,PIL.Image")
    assert not any(each.status for each in ended), [each.err for each in ended]
    return [torch.tensor(json.loads(each.out)) for each in ended]


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


def test_points_are_printed_in_pixels_of_the_photo(
    exported: tuple[nn.Module, Exported], outlines: LandmarkData, tmp_path: Path
) -> None:
    network, done = exported
    image = photo(tmp_path / "photo.png")
    whole = Image.new("L", (40, 40))
    whole.paste(image, (5, 0))
    expected = found(network, outlines, whole) - torch.tensor([5.5, 0.5])
    for form in done.forms:
        (answer,) = diswot.predict(done.folder, tmp_path / "photo.png", form=form)
        coordinates = [value for name, value in answer.items() if name != "example"]
        assert torch.allclose(torch.tensor(coordinates).view(-1, 2), expected, atol=2e-3)
    around = image.crop((6, 9, 24, 27))  # a box of 12 pixels with a margin of a quarter
    expected_in_box = found(network, outlines, around) + torch.tensor([5.5, 8.5])
    given = [(tmp_path / "photo.png", file) for file in FILES]
    runs = printed(done.folder, *given, *((*each, "9,14,21,22") for each in given))
    for number, points in enumerate(runs):
        inside = number >= len(FILES)
        assert torch.allclose(points, expected_in_box if inside else expected, atol=2e-3), number


def test_arrays_are_used_without_preprocessing(
    exported: tuple[nn.Module, Exported], outlines: LandmarkData, tmp_path: Path
) -> None:
    network, done = exported
    pixels = outlines.test.images[0, 0].numpy()
    np.save(tmp_path / "one.npy", pixels[None])
    expected = found(network, outlines, Image.fromarray(pixels)) - 0.5
    (points,) = printed(done.folder, (tmp_path / "one.npy",))
    assert torch.allclose(points, expected, atol=2e-3)


def test_the_card_describes_the_error_of_points(exported: tuple[nn.Module, Exported]) -> None:
    _, done = exported
    card = (done.folder / "README.md").read_text()
    config = json.loads((done.folder / "config.json").read_text())
    assert config["task"] == "landmarks"
    assert (config["points"], config["normalizer"]) == (16, "image width")
    for words in (
        "keypoint-detection",
        "A network that finds 16 points in images of 1×16×16",
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
