"""`diswot predict` classifies new files with an exported student and nothing else."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import diswot
from diswot.export import Exported
from diswot.tasks.images import ImageData, read_image
from tests.conftest import CommandLine
from tests.export.photos import CLASSES

pytestmark = pytest.mark.processes


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two photos, one in a subfolder, and a text file."""
    (tmp_path / "new" / "below").mkdir(parents=True)
    generator = np.random.default_rng(3)
    for name in ("a.png", "below/b.jpg"):
        pixels = generator.integers(0, 256, (30, 40, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "new" / name)
    (tmp_path / "new" / "notes.txt").write_text("no photo")
    return tmp_path / "new"


def shares(network: nn.Module, data: ImageData, path: Path) -> torch.Tensor:
    pixels = torch.from_numpy(read_image(path, data.shape))[None]
    with torch.inference_mode():
        found: torch.Tensor = network.eval()(data.normalize(pixels)).softmax(1)[0]
    return found


def test_photos_of_a_folder_are_classified(
    exported: tuple[nn.Module, ImageData, Exported], photos: Path, cli: CommandLine
) -> None:
    network, data, done = exported
    out = cli("predict", done.folder, photos, "--top", 2, "--json")
    assert (out.code, out.err) == (0, "")
    found = json.loads(out.out)["predictions"]
    assert [each["example"] for each in found] == [f"{photos}/a.png", f"{photos}/below/b.jpg"]
    for each in found:
        expected = shares(network, data, Path(each["example"]))
        first, second = expected.argsort(descending=True)[:2]
        assert (each["label"], each["label_2"]) == (CLASSES[first], CLASSES[second])
        assert each["probability"] == pytest.approx(float(expected[first]), abs=2e-6)
        assert each["probability_2"] == pytest.approx(float(expected[second]), abs=2e-6)


@pytest.mark.parametrize("form", ["source", "pt2", "onnx"])
def test_every_form_predicts_the_same_classes(
    form: str, exported: tuple[nn.Module, ImageData, Exported], photos: Path
) -> None:
    done = exported[2]
    found, expected = (diswot.predict(done.folder, photos, form=each) for each in (form, None))
    assert [each["label"] for each in found] == [each["label"] for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert one["probability"] == pytest.approx(other["probability"], abs=2e-6)


def test_csv_and_table_have_the_same_content(
    exported: tuple[nn.Module, ImageData, Exported], photos: Path, cli: CommandLine
) -> None:
    folder = exported[2].folder
    lines = cli("predict", folder, photos / "a.png", "--csv").out.splitlines()
    assert lines[0] == "example,label,probability"
    name, label, probability = lines[1].split(",")
    assert name == str(photos / "a.png")
    table = cli("predict", folder, photos / "a.png").out
    assert label in table
    assert f"{float(probability):.1%}" in table


def test_a_damaged_photo_is_reported_and_the_others_classified(
    exported: tuple[nn.Module, ImageData, Exported], photos: Path, cli: CommandLine
) -> None:
    (photos / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    out = cli("predict", exported[2].folder, photos, "--csv")
    assert out.code == 1
    assert len(out.out.splitlines()) == 4
    assert f"warning: {photos}/damaged.png cannot be read: it is not an image" in out.err
    assert "1 of 3 cannot be read; the others were predicted: replace them" in out.err
    alone = cli("predict", exported[2].folder, photos / "damaged.png")
    assert "1 of 1 cannot be read: replace them" in alone.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{student}", "nowhere"), "there is no file or folder nowhere: name what to predict"),
        (("{student}", "empty"), "empty has no file that the student can take"),
        (("empty", "empty"), "empty is not an exported student (it has no config.json)"),
        (("{student}", "empty", "--form", "onx"), "unknown format 'onx': did you mean 'onnx'?"),
        (("{student}", "empty", "--form", "int8"), "has no student.int8.onnx; its formats are"),
        (("{student}", "empty", "--csv", "--json"), "--csv and --json exclude each other"),
    ],
)
def test_invalid_arguments_are_one_line_errors(
    arguments: tuple[str, ...],
    words: str,
    exported: tuple[nn.Module, ImageData, Exported],
    cli: CommandLine,
) -> None:
    Path("empty").mkdir()
    out = cli("predict", *(each.format(student=exported[2].folder) for each in arguments))
    assert out.code == 2
    assert words in out.err
    assert len(out.err.splitlines()) == 1


def test_code_of_a_student_runs_only_if_its_form_is_named(
    exported: tuple[nn.Module, ImageData, Exported],
    photos: Path,
    tmp_path: Path,
    cli: CommandLine,
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(exported[2].folder, folder)
    (folder / "student.onnx").unlink()
    (folder / "student.pt2").unlink()
    with (folder / "student.py").open("a") as file:
        file.write(f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n")
    out = cli("predict", folder, photos)
    assert out.code == 2
    assert "has only source, which can execute code in the file" in out.err
    assert not (tmp_path / "ran").exists()
    assert cli("predict", folder, photos, "--form", "source").code == 0
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"forms": {}, "inputs": [], "task": "images"}'])
def test_the_error_names_a_damaged_config(text: str, tmp_path: Path, cli: CommandLine) -> None:
    (tmp_path / "config.json").write_text(text)
    out = cli("predict", tmp_path, tmp_path)
    assert out.code == 2
    assert "config.json" in out.err


def test_files_in_class_folders_are_evaluated(
    exported: tuple[nn.Module, ImageData, Exported], photos: Path, cli: CommandLine
) -> None:
    _, _, done = exported
    predicted = json.loads(cli("predict", done.folder, photos, "--json").out)
    assert "metrics" not in predicted  # no folder is named as a class
    first, second = (each["label"] for each in predicted["predictions"])
    (photos / first).mkdir()
    (photos / "a.png").rename(photos / first / "a.png")
    wrong = next(name for name in CLASSES if name != second)
    (photos / wrong / "deeper").mkdir(parents=True, exist_ok=True)
    (photos / "below" / "b.jpg").rename(photos / wrong / "deeper" / "b.jpg")
    Image.new("RGB", (9, 9)).save(photos / "loose.png")
    metrics = json.loads(cli("predict", done.folder, photos, "--json").out)["metrics"]
    assert (metrics["accuracy"]["value"], metrics["accuracy"]["n"]) == (0.5, 2)
    assert (metrics["left"], metrics["names"]) == (1, list(CLASSES))
    text = cli("predict", done.folder, photos).out
    assert "2 files in folders named as classes: accuracy 50.0 % [" in text
    assert "macro F1" in text
    assert "1 others are in no class folder" in text
