"""`diswot run --task image-text` from end to end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from diswot.training import saved_students
from tests.conftest import CommandLine
from tests.tasks.image_text.squares import ENGLISH, SEEN, squares

TINY = (
    *("--task", "image-text", "--data", "tests.tasks.image_text.squares:squares"),
    *("--space", "tests.tasks.image_text.squares:Small"),
    *("--population", "2", "--generations", "1", "--repeats", "1", "--batch-size", "8"),
    *("--epochs", "2", "--teacher-epochs", "4", "--force", "--no-onnx"),
)


@pytest.mark.processes
@pytest.mark.slow
def test_the_main_job_runs_from_end_to_end(cli: CommandLine, tmp_path: Path) -> None:
    ran = cli("run", *TINY, "--out", "run")
    assert ran.code == 0, ran.err
    assert "Test zero-shot accuracy in %" in ran.out
    assert {student.loss for student in saved_students(tmp_path / "run")} == {"text_ce", "vlm-ood"}
    folder = tmp_path / "run" / "student"
    config = json.loads((folder / "config.json").read_text())
    assert (config["task"], config["embedding"]) == ("image-text", 8)
    classes = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    assert (classes["seen"], tuple(classes["names"]["en"])) == (SEEN, ENGLISH)

    pixels = squares().test.images[0].permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    alone = subprocess.run(
        [sys.executable, folder / "predict.py", tmp_path / "photo.png"],
        check=True,
        capture_output=True,
        text=True,
    )
    ours = cli("predict", "run/student", "photo.png", "--form", "source", "--json")
    assert ours.code == 0, ours.err
    (answer,) = json.loads(ours.out)["predictions"]
    assert alone.stdout.split()[0] == answer["label"]
    again = cli("resume", "run", *TINY[2:6])
    assert again.code == 0, again.err
