"""Trainings without a run for text, a task whose data has its own options."""

import json
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.tasks.text.conftest import PAIRS

ARCHITECTURE = "layers=7,hidden=24,heads=9,ratio=2.5"
TEXTS = ("--task", "text", "--data", "texts.csv", "--length", 12, "--vocabulary", 300)


@pytest.fixture(autouse=True)
def fixture_texts(tmp_path: Path, cli: CommandLine) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in PAIRS)
    (tmp_path / "texts.csv").write_text(f"text,label\n{rows}")


@pytest.mark.processes
def test_a_student_trained_without_a_run_is_exported(cli: CommandLine, tmp_path: Path) -> None:
    student = ("--space", "text-encoder", "--arch", ARCHITECTURE, "--loss", "alone")
    done = cli("distill", *TEXTS, *student, "--epochs", 1, "--out", "student")
    assert done.code == 0, done.err
    exported = cli("export", "student", "--no-onnx", "--no-pt2", "--json")
    assert exported.code == 0, exported.err
    assert "test_accuracy" in json.loads(exported.out)["forms"]["source"]
    inputs = json.loads((tmp_path / "student" / "student" / "config.json").read_text())["inputs"]
    assert inputs[0]["shape"] == [12]


def test_a_teacher_is_trained_on_texts_cut_shorter(cli: CommandLine, tmp_path: Path) -> None:
    done = cli("teacher", "train", "encoder-medium", *TEXTS, "--epochs", 1, "--out", "teacher")
    assert done.code == 0, done.err
    assert "truncated to 12 tokens" in done.err
    assert (tmp_path / "teacher" / "best.safetensors").exists()
