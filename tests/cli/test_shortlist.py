"""`--shortlist` on the command line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import QUICK, SPACE, Refused
from tests.conftest import CommandLine

SEARCHED = [*QUICK, "--population", 4, "--generations", 0]
SHORT = ["--epochs", 2, "--teacher-epochs", 1, "--force"]
AGAIN = ["--space", SPACE]


@pytest.mark.processes
def test_a_run_can_choose_its_winner_by_halving(cli: CommandLine, tmp_path: Path) -> None:
    options = [*SEARCHED, *SHORT, "--shortlist", 2, "--no-compare", "--no-onnx", "--out", "r"]
    done = cli("run", *options)
    assert done.code == 0, done.err
    assert "Shortlist by successive halving" in done.out
    assert "4 epochs in all" in " ".join(done.out.split())
    result = json.loads((tmp_path / "r" / "result.json").read_text())
    halving = result["halving"]
    assert halving["first"] == result["best"]["architecture"]
    assert [each["epochs"] for each in halving["rounds"]] == [1, 2]
    assert len(halving["rounds"][0]["val"]) == 2
    winner = next(row for row in result["table"] if row["label"] == "winner")
    assert winner["architecture"] == halving["best"]
    config = json.loads((tmp_path / "r" / "student" / "config.json").read_text())
    assert config["architecture"] == halving["best"]


@pytest.mark.processes
def test_a_shortlist_of_a_run_is_distilled_and_exported(cli: CommandLine, tmp_path: Path) -> None:
    assert cli("search", *SEARCHED, "--out", "r").code == 0
    done = cli("distill", "r", *AGAIN, *SHORT, "--shortlist", 3, "--json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert [len(each["val"]) for each in record["halving"]["rounds"]] == [3, 2, 1]
    assert record["architecture"] == record["halving"]["best"]
    # finished trainings are not repeated, and stopped ones are resumed
    folder = tmp_path / record["folder"]
    assert cli("distill", "r", *AGAIN, *SHORT, "--shortlist", 3).code == 2
    (folder / "report.json").unlink()
    again = cli("distill", "r", *AGAIN, *SHORT, "--shortlist", 3, "--json")
    assert again.code == 0, again.err
    assert json.loads(again.out)["test_accuracy"] == record["test_accuracy"]
    assert cli("export", "r", *AGAIN, "--no-onnx").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["distill", "--arch", "1-1-1", "--shortlist", 2], "--shortlist needs a run"),
        (["distill", "--shortlist", 2], "--shortlist needs a run"),
        (["distill", "--arch", "1-1-1", "--shortlist", 0], "--shortlist"),
        (["run", "--shortlist", 0], "--shortlist"),
    ],
)
def test_invalid_shortlists_are_refused(
    refused: Refused, arguments: list[object], message: str
) -> None:
    assert message in refused(*arguments)
