"""A resumed run finds its data again and never imports code that its folder names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import diswot
from diswot.progress import Step
from diswot.runs.folder import read_json
from diswot.tasks.images import NAMED_DATA
from diswot.tasks.images.teachers import SOURCES
from tests.cli.conftest import only_line
from tests.conftest import CommandLine
from tests.search.spaces import Tiny

FEW = ("--scorer", "params", "--population", "2", "--generations", "0", "--repeats", "1")
SEARCH = ("search", *FEW, "--batch-size", "4", "--teacher", "resnet20", "--out", "run")


@pytest.fixture(name="photos")
def fixture_photos(tmp_path: Path) -> Path:
    """Return a folder of images of two classes."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(40):
            image = Image.fromarray(rng.integers(0, 256, (10, 10), dtype=np.uint8))
            image.save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.mark.slow
def test_a_folder_of_images_need_not_be_named_again(
    cli: CommandLine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(*SEARCH, "--data", "photos", "--image-size", "8").code == 0
    run, result = tmp_path / "run", (tmp_path / "run" / "result.json").read_bytes()
    (run / "result.json").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    resumed = cli("resume", run)
    assert resumed.code == 0, resumed.err
    assert (run / "result.json").read_bytes() == result

    moved = photos.rename(tmp_path / "moved")
    assert "--data names the data of the run where they are now" in only_line(cli("resume", run))
    assert "photos" in only_line(cli("resume", run))
    assert cli("resume", run, "--data", moved, "--image-size", "8").code == 0

    moved.rename(photos)
    Image.new("L", (10, 10)).save(photos / "cat" / "0.png")
    assert "the data is not that of the run" in cli("resume", run).err.splitlines()[-1]


@pytest.mark.slow
def test_a_training_finds_its_images_from_another_folder(
    cli: CommandLine, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ("--arch", "1-1-1", "--loss", "alone", "--epochs", "1", "--image-size", "8")
    assert cli("distill", *chosen, "--data", "photos", "--out", "training").code == 0
    training = tmp_path / "training"
    assert json.loads((training / "training.json").read_text())["options"]["data"] == str(photos)
    weights = (training / "best.safetensors").read_bytes()
    for path in training.iterdir():  # as it is left where it is stopped before a checkpoint
        if path.name != "training.json":
            path.unlink()
    monkeypatch.chdir("/")
    resumed = cli("resume", training)
    assert resumed.code == 0, resumed.err
    assert (training / "best.safetensors").read_bytes() == weights


@pytest.mark.parametrize(
    ("text", "known"),
    [("digits", True), ("photos/", True), ("./photos", True), ("mine:data", False), ("", False)],
)
def test_only_built_in_data_names_are_trusted(text: str, known: bool) -> None:
    assert (text in NAMED_DATA) == known


@pytest.mark.parametrize(
    ("name", "known"),
    [("resnet20", True), ("hf:folder", True), ("timm:vit", True), ("mine:net", False), (3, False)],
)
def test_only_built_in_teacher_names_are_trusted(name: Any, known: bool) -> None:
    assert (name in SOURCES) == known


@pytest.mark.slow
def test_the_manifest_holds_the_settings_that_were_used(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def stop(step: Step) -> None:
        if step.stage == "score":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=f"`diswot resume {run}` resumes it"):
        diswot.run("resnet20", Tiny(), scorer="params", epochs=4, out=run, progress=stop)
    job = read_json(run / "manifest.json")["job"]
    assert {name for name, value in job.items() if value is None} <= {
        "class_weights",
        "ema",
        "max_grad_norm",
        "onnx",
        "sampling",
    }
    used = {"epochs": 4, "train_batch_size": 16, "optimizer": "sgd", "learning_rate": 0.05}
    used |= {"weight_decay": 5e-4, "schedule": "step", "augment": "standard", "teacher_epochs": 12}
    used |= {"flips": False}
    assert {name: job[name] for name in used} == used
