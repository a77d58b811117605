"""Data-parallel trainings of one student in several processes, started by `torchrun`."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import CommandLine
from tests.training.short_training import run_plain_training

ROOT = Path(__file__).parents[2]


def two_processes(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a module in two CPU processes, as torchrun does."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*launch, "-m", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.processes
def test_two_processes_give_almost_the_weights_of_one(tmp_path: Path) -> None:
    done = two_processes("tests.training.short_training", tmp_path / "two", "--plain", folder=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("threads left: []") == 2
    alone = run_plain_training(tmp_path / "one")
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in ("one", "two"))
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-5)
    with (tmp_path / "two" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_accuracy"]) for row in rows] == [e.val for e in alone.history]
    torch.testing.assert_close(
        torch.tensor([float(row["train_loss"]) for row in rows]),
        torch.tensor([epoch.train_loss for epoch in alone.history]),
        rtol=1e-3,
        atol=1e-5,
    )


@pytest.mark.processes
def test_of_two_processes_only_the_first_writes_and_prints(tmp_path: Path) -> None:
    done = two_processes(
        "diswot", "distill", "--arch", "1-1-1", "--loss", "alone", "--epochs", "1",
        "--train-batch-size", "100", "--device", "cpu", "--out", "d", "--json", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["folder"] == "d"
    assert {path.name for path in (tmp_path / "d").iterdir()} == {
        ".lock",
        "best.safetensors",
        "config.toml",
        "last.safetensors",
        "metrics.csv",
        "report.json",
        "training.json",
    }


def test_an_error_is_reported_only_by_the_first_process(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("distill", "--arch", "1-1-1", "--loss", "kdd")
    assert cli(*command).err.count("\n") == 1
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # which `main` closes for good
    monkeypatch.setenv("RANK", "1")
    outcome = cli(*command)
    assert (outcome.code, outcome.err) == (2, "")
