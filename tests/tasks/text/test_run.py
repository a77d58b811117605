"""The main job on texts, from a file to an exported student."""

from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.tasks.text.conftest import PAIRS

SMALL = [
    "--engine",
    "random",
    "--population",
    2,
    "--generations",
    0,
    "--repeats",
    1,
    "--batch-size",
    8,
]
SHORT = ["--epochs", 1, "--teacher-epochs", 1, "--force", "--no-onnx", "--no-compare"]


@pytest.mark.processes
def test_run_goes_from_texts_to_an_exported_student(cli: CommandLine, tmp_path: Path) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in PAIRS)
    (tmp_path / "texts.csv").write_text(f"text,label\n{rows}")
    options = ["--data", "texts.csv", "--length", 8, "--vocabulary", 300]
    done = cli("run", "--task", "text", *options, *SMALL, *SHORT, "--out", "run")
    assert done.code == 0, done.err
    assert "encoder-medium" in done.out
    assert {"kd", "alone"} <= {word.rstrip(":") for word in done.out.split()}
    assert (tmp_path / "run" / "student" / "tokenizer.json").exists()
    again = cli("distill", "run", "--loss", "ce + 0.1*sp", "--epochs", 1, "--force")
    assert again.code == 0, again.err


def test_options_of_texts_are_refused_for_other_tasks(cli: CommandLine) -> None:
    refused = cli("search", "--length", 16, "--out", "run")
    assert refused.code == 2
    assert "length" in refused.err
    assert len(refused.err.splitlines()) == 1


def test_an_unknown_file_is_refused_before_the_search(cli: CommandLine, tmp_path: Path) -> None:
    refused = cli("run", "--task", "text", "--data", "none.csv", "--out", "run")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "there is no none.csv" in refused.err
    assert not (tmp_path / "run").exists()
