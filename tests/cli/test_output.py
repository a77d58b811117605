"""Tracebacks are printed only with --debug, and --json prints only JSON on standard output."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ONE_EPOCH, QUICK, SPACE, Hostile, only_line
from tests.conftest import CommandLine, Outcome
from tests.edits import edit


@pytest.mark.parametrize(
    "arguments",
    [("--debug", "search", "--teacher", "x"), ("search", "--teacher", "x", "--debug")],
    ids=["before the command", "after it"],
)
def test_debug_shows_the_traceback(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert "Traceback (most recent call last)" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("diswot: unknown teacher")


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", *QUICK),
        ("score", "width=2", "width=4", "--space", SPACE, "--teacher", "resnet20"),
        ("score", "width=2", "--space", "tests.cli.faulty:AllNaN", "--teacher", "resnet20"),
        *(("list", kind) for kind in ("teachers", "spaces", "scorers", "losses", "datasets")),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_json_prints_one_object_and_nothing_else(
    cli: CommandLine, arguments: tuple[str, ...]
) -> None:
    outcome = cli(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert isinstance(json.loads(outcome.out), dict)
    assert outcome.out.count("\n") == 1


@pytest.mark.parametrize(
    ("scorer", "seen"), [("student_fit", "no teacher"), ("diswot", "random teacher")]
)
def test_a_search_reports_the_teacher_state_of_its_score(
    cli: CommandLine, scorer: str, seen: str
) -> None:
    outcome = cli("search", *QUICK, "--scorer", scorer)
    assert outcome.code == 0, outcome.err
    assert seen in " ".join(outcome.out.split())


@pytest.mark.processes
def test_errors_of_the_real_command_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(pickle.dumps(Hostile(tmp_path / "marker"), protocol=2))
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "diswot"),
            *("search", "--teacher", "resnet20", "--teacher-weights", "weights.pt"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    line = only_line(Outcome(ended.returncode, ended.stdout, ended.stderr))
    assert "weights.pt" in line
    assert not (tmp_path / "marker").exists()


@pytest.mark.processes
def test_a_student_is_exported_without_its_teacher_and_data(
    cli: CommandLine, run_folder: Path
) -> None:
    distilled = cli(
        *("distill", run_folder, "--space", SPACE, "--teacher", "resnet20"),
        *("--loss", "alone", *ONE_EPOCH),
    )
    assert distilled.code == 0, distilled.err
    used = {"teacher": "mine:teacher", "data": "mine:images"}
    edit(run_folder / "manifest.json", lambda manifest: manifest["settings"].update(used))
    exported = cli("export", run_folder, "--space", SPACE, "--no-onnx")
    assert exported.code == 0, exported.err
    assert (run_folder / "student" / "student.py").exists()
