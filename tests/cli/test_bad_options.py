"""Absurd numbers, output folders and losses: an immediate one-line error, no files left."""

from pathlib import Path

import pytest

import diswot
from diswot.training import parse_objective
from tests.cli.conftest import QUICK, Refused, only_line
from tests.conftest import CommandLine

HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(
            ("search", f"--{name}")
            for name in ("threads", "repeats", "population", "generations", "batch-size", "seed")
        ),
        *(
            ("run", f"--{name}")
            for name in ("epochs", "train-batch-size", "gradient-accumulation", "teacher-epochs")
        ),
        ("run", "--shortlist"),
        ("run", "--image-size"),
        ("distill", "--seed"),
        ("score x", "--threads"),
        ("resume x", "--generations"),
        ("latency calibrate", "--sample"),
        ("latency calibrate", "--batch"),
        ("latency calibrate", "--threads"),
        ("teacher train x", "--epochs"),
        ("bench correlation", "--repeats"),
        ("bench losses", "--seeds"),
        ("bench search", "--evaluations"),
        ("bench speed", "--architectures"),
    ],
)
def test_absurdly_large_numbers_are_refused(refused: Refused, command: str, option: str) -> None:
    for number in (HUGE, "9" * 5000):
        assert option in refused(*command.split(), option, number)


@pytest.mark.parametrize("command", [("search", *QUICK), ("run", *QUICK), ("distill",)])
@pytest.mark.parametrize(
    ("out", "message"), [("", "--out"), (" ", "--out"), ("new/../x", "new/../x")]
)
def test_an_empty_output_folder_is_refused(
    refused: Refused, command: tuple[str, ...], out: str, message: str
) -> None:
    chosen = ("--arch", "1-1-1") if command == ("distill",) else ()
    assert message in refused(*command, *chosen, "--out", out)


@pytest.mark.parametrize("loss", ["0*ce", "0*ce + 0*kd", "0.0*at"])
def test_a_loss_with_only_zero_weights_is_refused(refused: Refused, loss: str) -> None:
    assert "every weight" in refused("distill", "--arch", "1-1-1", "--loss", loss)
    assert parse_objective("0*ce + kd").needs_teacher


OWN = """
def my_score(student, teacher):
    return student.output.norm()

number = 3
"""


@pytest.mark.slow
def test_a_user_scorer_can_be_used_from_the_command_line(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_scores.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    few = ("--teacher", "resnet20", "--repeats", "1", "--batch-size", "8")
    scored = cli("score", "1-1-1", *few, "--scorer", "own_scores:my_score")
    assert scored.code == 0, scored.err
    assert "own_scores:my_score" in scored.out
    again = ("search", *few, "--population", "2", "--generations", "0", "--out", "r")
    assert cli(*again, "--scorer", "own_scores:my_score").code == 0
    assert "pass it again with --scorer" in only_line(cli("resume", "r", "--generations", "1"))
    resumed = cli("resume", "r", "--generations", "1", "--scorer", "own_scores:my_score")
    assert resumed.code == 0, resumed.err
    assert "a function of (student, teacher)" in only_line(
        cli("score", "1-1-1", *few, "--scorer", "own_scores:number")
    )


def test_run_error_is_a_diswot_error() -> None:
    assert issubclass(diswot.RunError, diswot.DiswotError)


def test_a_candidate_is_printed_in_one_short_line() -> None:
    (found,) = diswot.score(["1-1-1"], "resnet20", scorer="params", repeats=1, batch_size=8)
    assert str(found).startswith("1-1-1 (score ")
    assert str(found).endswith("; 77,754 parameters, 3,052,160 MACs)")
