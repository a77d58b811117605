"""`diswot run` from the command line to an exported student."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import CommandLine

pytestmark = pytest.mark.processes

SMALL = ["--teacher", "resnet20", "--population", "3", "--generations", "1", "--repeats", "1"]
CHEAP = ["--max-params", "130k"]
SHORT = ["--epochs", "1", "--teacher-epochs", "1", "--force"]


def in_a_process(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "diswot", *arguments],
        cwd=folder,
        env=os.environ | {"DISWOT_DATA": str(folder / "data"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="folder")
def fixture_folder(cli: CommandLine, tmp_path: Path) -> Path:
    """Return the current folder, which contains a data root."""
    return tmp_path


def test_run_searches_distills_compares_and_exports(cli: CommandLine, folder: Path) -> None:
    done = cli("run", *SMALL, *SHORT, "--max-params", "200k", "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    run = folder / report["folder"]
    rows = {row["label"]: row for row in report["table"]}
    assert list(rows) == ["teacher", "winner", "largest", "smallest", "random"]
    assert list(rows["winner"]["measures"]) == ["alone", "diswot", "diswot-dagger"]
    assert rows["winner"]["params"] <= 200_000
    assert rows["smallest"]["params"] <= rows["winner"]["params"] <= rows["largest"]["params"]
    assert {path.name for path in (run / "student").iterdir()} == {
        "student.py",
        "weights.safetensors",
        "config.json",
        "student.onnx",
        "student.pt2",
        "predict.py",
        "README.md",
    }
    lines = (run / "journal.jsonl").read_text().splitlines()
    verdict = report["verdict"]
    config = json.loads((run / "student" / "config.json").read_text())
    assert verdict["take"] in rows
    assert (config["architecture"], config["loss"]) == (verdict["architecture"], verdict["loss"])
    assert verdict["reason"] in (run / "student" / "README.md").read_text()
    assert report["latency"] == "one image, onnxruntime, 1 thread, median"
    proposed = [line for line in map(json.loads, lines) if line["number"] >= 0]
    assert len(proposed) == 6
    assert report["evaluated"] == len({json.loads(line)["architecture"] for line in lines})
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["settings"]["seed"] == 0
    assert len(list((folder / "data" / "teachers").iterdir())) == 1
    assert {path.name for path in run.iterdir() if not path.name.startswith(".")} == {
        "manifest.json",
        "journal.jsonl",
        "result.json",
        "config.toml",
        "distill",
        "student",
    }


def test_search_distill_and_export_work_one_after_the_other(cli: CommandLine, folder: Path) -> None:
    done = cli("search", *SMALL, *CHEAP, "--out", "r")
    assert done.code == 0, done.err
    assert "Next: diswot distill r" in done.out
    done = cli("distill", "r", *SHORT, "--loss", "diswot-dagger")
    assert done.code == 0, done.err
    assert "Next: diswot export r" in done.out
    done = cli("export", "r", "--no-onnx")
    assert done.code == 0, done.err
    best = json.loads((folder / "r" / "result.json").read_text())["best"]["architecture"]
    config = json.loads((folder / "r" / "student" / "config.json").read_text())
    assert config["architecture"] == best
    assert config["loss"] == "diswot-dagger"


def test_a_named_architecture_is_distilled_without_a_run(cli: CommandLine, folder: Path) -> None:
    arch = ["--arch", "1-1-1", "--teacher", "resnet20", "--loss", "alone", "--out", "d"]
    done = cli("distill", *arch, *SHORT)
    assert done.code == 0, done.err
    done = cli("export", "d", "--no-onnx", "--out", "s")
    assert done.code == 0, done.err
    assert (folder / "s" / "student.py").exists()


def test_cifar_in_its_official_format_runs_the_whole_job(
    cli: CommandLine, folder: Path, shared_data: Path
) -> None:
    (folder / "data" / "cifar-100-python").symlink_to(shared_data / "cifar-100-python")
    done = cli(
        "search", "--data", "cifar100", "--teacher", "resnet56", "--population", "2",
        "--generations", "0", "--repeats", "1", "--batch-size", "8", "--max-params", "300k",
        "--out", "r",
    )  # fmt: skip
    assert done.code == 0, done.err
    manifest = json.loads((folder / "r" / "manifest.json").read_text())
    assert manifest["data"]["signature"]["inputs"][0]["shape"] == [3, 32, 32]
    assert manifest["data"]["signature"]["outputs"] == 100


def test_a_seed_gives_the_same_result_in_another_process(cli: CommandLine, folder: Path) -> None:
    command = ("search", *SMALL, "--seed", "5", "--out")
    here, there = cli(*command, "a"), in_a_process(*command, "b", folder=folder)
    assert (here.code, there.returncode) == (0, 0), here.err + there.stderr
    results = [json.loads((folder / out / "result.json").read_text()) for out in ("a", "b")]
    assert results[0]["scores"] == results[1]["scores"]
    assert results[0]["best"]["architecture"] == results[1]["best"]["architecture"]


def test_run_can_score_against_the_trained_teacher(cli: CommandLine, folder: Path) -> None:
    options = ["--teacher-state", "trained", "--no-compare", "--no-onnx", "--out", "r"]
    done = cli("run", *SMALL, *CHEAP, *SHORT, *options)
    assert done.code == 0, done.err
    settings = json.loads((folder / "r" / "manifest.json").read_text())["settings"]
    assert settings["teacher"] == "resnet20"
    assert settings["teacher_state"] == "trained"
    assert "Next: " in done.out
    trained = {path.name for path in (folder / "r" / "distill").iterdir()}
    assert trained == {"alone", "diswot", "diswot-dagger"}
    assert "No other student was trained for comparison.\n" in done.out
    assert "Not trained in full, and so not compared: " in done.out
    check_resumed(cli, folder, folder / "r" / "student")


def check_resumed(cli: CommandLine, folder: Path, student: Path) -> None:
    """Resume a finished run: its student is exported again only where a file has changed."""
    (student / "__pycache__").mkdir()  # created by Python when the student is imported
    written = {path.name: path.stat().st_mtime_ns for path in student.iterdir()}
    table = json.loads((folder / "r" / "result.json").read_text())
    assert list(table["stages"]) == [
        *("students", "teacher", "search", "trainings", "verdict", "export", "report"),
    ]
    done = cli("resume", "r")
    assert done.code == 0, done.err
    assert {path.name: path.stat().st_mtime_ns for path in student.iterdir()} == written
    again = json.loads((folder / "r" / "result.json").read_text())
    assert (again["stages"], again["student"]) == (table["stages"], table["student"])
    (student / "predict.py").write_text("")
    done = cli("resume", "r")
    assert done.code == 0, done.err
    assert (student / "predict.py").read_text()


def test_an_interrupted_search_keeps_its_evaluated_candidates(folder: Path) -> None:
    command = [sys.executable, "-m", "diswot", "search", "--teacher", "resnet20", "--out", "r"]
    running = subprocess.Popen(
        [*command, "--space", "nas-bench-201", "--batch-size", "8", "--generations", "1000"],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = folder / "r" / "journal.jsonl"
    deadline = time.monotonic() + 120
    try:
        while not (journal.exists() and journal.read_text().count("\n") >= 2):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    finally:
        running.kill()
    assert running.returncode == 130
    assert "interrupted" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert all(json.loads(line)["key"] for line in journal.read_text().splitlines())
