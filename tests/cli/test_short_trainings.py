"""`--trainings` and `--train-budget` on the command line."""

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, SPACE
from tests.conftest import CommandLine

SEARCHED = [*QUICK, "--population", 4, "--generations", 0]
SHORT = ["--epochs", 2, "--teacher-epochs", 1, "--force", "--no-compare", "--no-onnx"]
DIVIDED = ["--train-budget", "4x", "--trainings", 4]


@pytest.mark.slow
@pytest.mark.processes
def test_a_run_divides_its_training_budget_and_is_resumed(cli: CommandLine, tmp_path: Path) -> None:
    done = cli("run", *SEARCHED, *SHORT, *DIVIDED, "--out", "r")
    assert done.code == 0, done.err
    assert "Short trainings of 1 epoch\n" in done.out
    assert "Shortlist by successive halving" in done.out
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    assert len(result["trainings"]) == 4
    assert result["halving"]["first"] == result["best"]["architecture"]
    config = tomllib.loads((tmp_path / "r" / "config.toml").read_text())
    assert config["train_budget"] == "4x"  # the file repeats the run
    trained = (tmp_path / "r" / "trainings.jsonl").read_bytes()
    (tmp_path / "r" / "result.json").unlink()
    assert cli("resume", "r", "--space", SPACE).code == 0
    assert (tmp_path / "r" / "trainings.jsonl").read_bytes() == trained
    again = json.loads((tmp_path / "r" / "result.json").read_text())
    assert again["trainings"] == result["trainings"]
    assert again["halving"] == result["halving"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trainings", 3, "--training-epochs", 0], "training"),
        (["--training-epochs", 2], "--trainings 20"),
        (["--train-budget", "0x"], "at least 1x"),
        (["--train-budget", "2"], "for example 6x"),
        (["--train-budget", "3x", "--shortlist", 2], "exclude each other"),
        (["--trainings", 3, "--training-epochs", 5, "--epochs", 2], "at most 2"),
    ],
)
def test_invalid_training_budgets_are_refused(
    cli: CommandLine, options: list[object], message: str
) -> None:
    done = cli("run", *SEARCHED, *options, "--out", "r")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) <= 4
