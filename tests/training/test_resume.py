"""A killed training resumes and ends with the result of an uninterrupted one."""

import csv
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from diswot.errors import RunError, RunFolderError
from diswot.training import METRICS, Recipe
from tests.cli.conftest import Hostile
from tests.training.short_training import LOSS, RECIPE, few_digits, run_training, small

ROOT = Path(__file__).parents[2]
CHECKPOINTS_OF_AN_EPOCH = 3
"""After 8, 16 and 24 of 24 steps."""


@pytest.fixture(name="whole", scope="module")
def fixture_whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an uninterrupted training."""
    folder = tmp_path_factory.mktemp("whole")
    run_training(folder)
    return folder


def kill_after(
    checkpoints: int, folder: Path, *, module: str = "tests.training.short_training"
) -> None:
    """Train in another process, and kill it after this many checkpoints."""
    running = subprocess.Popen(
        [sys.executable, "-m", module, str(folder)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
    )
    seen: set[int] = set()
    deadline = time.monotonic() + 120
    while len(seen) < checkpoints:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        path = folder / "checkpoint.pt"
        if path.exists():
            seen.add(path.stat().st_mtime_ns)
        time.sleep(0.001)
    time.sleep(random.Random(checkpoints).random() / 50)
    running.kill()
    running.communicate()


def measured(folder: Path) -> list[dict[str, str]]:
    """Return the table of metrics without times."""
    with (folder / METRICS).open(newline="", encoding="utf-8") as file:
        timed = ("seconds", "examples_per_second")
        return [{n: v for n, v in row.items() if n not in timed} for row in csv.DictReader(file)]


@pytest.mark.processes
def test_a_training_killed_twice_gives_the_same_weights(whole: Path, tmp_path: Path) -> None:
    stopped = []
    for checkpoints in (2, 3):  # within the first epoch, then within the second or third
        kill_after(checkpoints, tmp_path)
        stopped.append(torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"])
    assert stopped[0]["step"] > 0
    assert stopped[1]["epoch"] > stopped[0]["epoch"]
    run_training(tmp_path)
    for name in ("best", "last"):
        file = f"{name}.safetensors"
        assert (tmp_path / file).read_bytes() == (whole / file).read_bytes()
    assert measured(tmp_path) == measured(whole)
    assert len(measured(whole)) == RECIPE.epochs


@pytest.mark.slow
def test_a_finished_training_is_only_evaluated_again(whole: Path) -> None:
    before = (whole / "last.safetensors").stat().st_mtime_ns
    student = small(7)
    again = run_training(whole, student=student)
    assert len(again.history) == RECIPE.epochs
    assert (whole / "last.safetensors").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"recipe": replace(RECIPE, learning_rate=0.02)},
            "its learning rate is 0.01, but got 0.02",
        ),
        ({"recipe": replace(RECIPE, epochs=4)}, "its epochs is 3, but got 4"),
        ({"loss": "ce"}, f"its loss is {LOSS}, but got ce".replace("+", r"\+")),
        ({"student": small(0, width=5)}, "its network is"),
        ({"teacher": small(2, width=8)}, "its teacher is"),
        ({"data": few_digits(280)}, "its data is digits"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_checkpoint_of_another_training_names_the_difference(
    whole: Path, changed: dict[str, Any], words: str
) -> None:
    words = words.replace("*", r"\*").replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(RunFolderError, match=words):
        run_training(whole, **changed)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", "hostile", {"of": {}}, [1]])
def test_a_damaged_checkpoint_is_refused_without_executing_it(
    tmp_path: Path, content: object
) -> None:
    path, marker = tmp_path / "checkpoint.pt", tmp_path / "marker"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(Hostile(marker) if content == "hostile" else content, path)
    with pytest.raises(RunFolderError, match=r"checkpoint\.pt is damaged"):
        run_training(tmp_path)
    assert not marker.exists()


def test_a_non_finite_loss_keeps_the_last_checkpoint(
    tmp_path: Path,
) -> None:
    data = few_digits()
    run_training(tmp_path / "good", Recipe(epochs=1, batch_size=12), data=data)
    broken = small(1, width=8)
    with torch.no_grad():
        broken.classifier.weight[0, 0] = float("nan")
    words = r"the term kd\(T=4\) of the loss .* is nan in epoch 1, step 1"
    with pytest.raises(RunError, match=words):
        run_training(tmp_path / "bad", Recipe(epochs=1, batch_size=12), teacher=broken, data=data)
    assert not (tmp_path / "bad" / "checkpoint.pt").exists()


def test_a_diverged_training_keeps_the_last_finite_checkpoint(tmp_path: Path) -> None:
    wild = Recipe(epochs=30, batch_size=12, learning_rate=1e3, warmup_epochs=29, augment="none")
    with pytest.raises(RunError, match="keeps the last good checkpoint"):
        run_training(tmp_path, wild, student=small(0, normalized=False), loss="ce")
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert all(tensor.isfinite().all() for tensor in kept["parts"]["method"].values())
