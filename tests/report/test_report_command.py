"""`diswot report`: its output, and one-line errors for invalid run folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Damage, only_line, tree
from tests.cli.test_bad_run_folders import BROKEN_JSON
from tests.conftest import CommandLine
from tests.edits import edit

pytestmark = pytest.mark.processes


def test_the_command_prints_the_written_files(cli: CommandLine, run_folder: Path) -> None:
    outcome = cli("report", run_folder)
    assert outcome.code == 0, outcome.err
    assert str(run_folder / "report.html") in outcome.out
    assert "Next: " in outcome.out
    assert outcome.err == ""


def test_json_prints_only_the_paths(cli: CommandLine, run_folder: Path) -> None:
    outcome = cli("report", run_folder, "--json")
    assert outcome.out.count("\n") == 1
    printed = json.loads(outcome.out)
    assert printed["page"] == str(run_folder / "report.html")
    assert all(Path(path).is_file() for path in (printed["page"], *printed["plots"]))


def test_plots_can_be_left_out(cli: CommandLine, run_folder: Path) -> None:
    assert json.loads(cli("report", run_folder, "--no-plots", "--json").out)["plots"] == []
    assert not (run_folder / "report").exists()


def test_a_user_space_must_be_named_again(cli: CommandLine, own_run: Path) -> None:
    named = ("--space", "tests.cli.faulty:OneRaises")
    assert cli("report", own_run, *named, "--no-plots").code == 0
    assert "AdaptiveAvgPool2d" in (own_run / "report.html").read_text(encoding="utf-8")


def refusal(cli: CommandLine, run: Path, *options: str) -> str:
    """Return the one-line error of a refused report, and check that nothing was written."""
    before = tree(run)
    line = only_line(cli("report", run, *options))
    assert tree(run) == before
    return line


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_folder_that_is_not_a_run_is_refused(cli: CommandLine, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "folder"
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.write_text("no folder")
    assert str(path) in refusal(cli, path)


def test_an_unfinished_search_is_refused(cli: CommandLine, run_folder: Path) -> None:
    (run_folder / "result.json").unlink()
    assert "did not finish" in refusal(cli, run_folder)


@pytest.mark.parametrize("file", ["manifest.json", "result.json", "distill/diswot/report.json"])
@pytest.mark.parametrize("damage", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_damaged_file_is_refused(
    cli: CommandLine, run_folder: Path, file: str, damage: Damage
) -> None:
    damage(run_folder / file)
    assert str(run_folder) in refusal(cli, run_folder)


@pytest.mark.parametrize(
    "text",
    [
        "epoch\n1\n",
        "x\n1\n",
        "epoch,learning_rate,train_loss,val_accuracy,seconds\n1,0.1,nan,0.5,2\n",
    ],
    ids=["a column alone", "no header", "not a number"],
)
def test_damaged_metrics_are_refused(cli: CommandLine, run_folder: Path, text: str) -> None:
    path = run_folder / "distill" / "diswot" / "metrics.csv"
    path.write_text(text)
    assert str(path) in refusal(cli, run_folder)


def result(**values: object) -> tuple[str, Callable[[Any], object]]:
    return "result.json", lambda content: content.update(values)


CHANGES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "no score is left": result(scores={}),
    "another winner": ("result.json", lambda content: content["best"].update(key="another")),
    "a score is not finite": (
        "result.json",
        lambda content: content["scores"].update(dict.fromkeys(content["scores"], float("nan"))),
    ),
    "a score is a word": (
        "result.json",
        lambda content: content["scores"].update(dict.fromkeys(content["scores"], "high")),
    ),
    "the winner has no score": ("result.json", lambda content: content["best"].update(score=None)),
    "a cost is endless": ("result.json", lambda content: content["best"].update(params=10**400)),
    "a table of words": result(table="words"),
    "a table of empty rows": result(table=[{}]),
    "a student of words": result(student={"forms": {"student.py": "close"}}),
    "an objective that is none": (
        "manifest.json",
        lambda content: content["engine"].update(objectives=["score", "beauty"]),
    ),
    "an engine without objectives": ("manifest.json", lambda content: content.update(engine=None)),
    "a budget of words": ("manifest.json", lambda content: content.update(budget="little")),
    "a limit of words": ("manifest.json", lambda content: content.update(budget={"params": "few"})),
}


@pytest.mark.parametrize(("file", "change"), CHANGES.values(), ids=CHANGES)
def test_wrong_values_are_refused(
    cli: CommandLine, run_folder: Path, file: str, change: Callable[[Any], object]
) -> None:
    edit(run_folder / file, change)
    assert str(run_folder) in refusal(cli, run_folder)


def test_a_space_other_than_that_of_the_run_is_refused(cli: CommandLine, run_folder: Path) -> None:
    refusal(cli, run_folder, "--space", "nas-bench-201")


def test_an_unknown_space_is_refused(cli: CommandLine, run_folder: Path) -> None:
    assert "'s9'" in refusal(cli, run_folder, "--space", "s9")
