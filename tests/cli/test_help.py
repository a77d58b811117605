"""`--help` on one screen, `--help-all`, and options of a single task."""

import os
import subprocess
import sys

import pytest

from diswot.options import GROUPS, DistillationOptions, SearchOptions, declared
from tests.cli.conftest import only_line
from tests.conftest import CommandLine

LINES, COLUMNS = 50, 80


@pytest.mark.parametrize("command", ["run", "search", "distill", "score"])
def test_help_fits_one_screen_under_headings(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    lines = cli(command, "--help").out.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= COLUMNS
    headings = [line[:-1] for line in lines if line[:-1] in GROUPS]
    assert headings == [group for group in GROUPS if group in headings]
    assert {"Task", "Run"} <= set(headings)


@pytest.mark.parametrize("command", ["distill", "score", "teacher train"])
@pytest.mark.parametrize("flag", ["--help", "--help-all"])
def test_headings_list_only_options(cli: CommandLine, command: str, flag: str) -> None:
    rows = [line for line in cli(*command.split(), flag).out.splitlines() if line[:3].strip()]
    listed = rows[[row[:-1] in GROUPS for row in rows].index(True) :]
    assert not [row for row in listed if row[:-1] not in GROUPS and not row.startswith("  -")]


def test_help_all_shows_every_option(cli: CommandLine) -> None:
    few, every = cli("run", "--help").out, cli("run", "--help-all").out
    flags = [f"--{name.replace('_', '-')}" for name in declared(SearchOptions)]
    flags += [f"--{name.replace('_', '-')}" for name in declared(DistillationOptions)]
    assert not [flag for flag in flags if flag not in every]
    assert "--label-smoothing" not in few


def test_every_declared_option_has_a_heading() -> None:
    for kind in (SearchOptions, DistillationOptions):
        for name, option in declared(kind).items():
            assert option.option.group in GROUPS, name


@pytest.mark.parametrize(
    ("option", "owner"),
    [
        ("--supernet-epochs", "--method supernet"),
        ("--length", "--task code or --task text"),
    ],
)
def test_an_option_of_another_choice_names_the_choice(
    option: str, owner: str, cli: CommandLine
) -> None:
    refused = only_line(cli("run", option, 3))
    assert f"unknown option {option}: it is an option of {owner}" in refused


def test_a_number_out_of_range_names_both_limits(cli: CommandLine) -> None:
    refused = only_line(cli("run", "--task", "text", "--method", "supernet", "--supernets", 65))
    assert "65 is not in the range 1<=x<=64" in refused


def test_options_of_a_task_are_accepted_with_that_task(cli: CommandLine) -> None:
    page = cli("search", "--task", "landmarks", "--help").out
    assert "--normalizer" in page
    printed = cli("search", "--task=landmarks", "--crop", "0.5", "--print-config").out
    assert "crop = 0.5\n" in printed
    assert "--crop" in only_line(cli("search", "--crop", "0.5"))
    refused = only_line(cli("search", "--task", "landmarks", "--crop", "11"))
    assert "11.0 is not in the range 0<=x<=10" in refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--task", "landmark"), "unknown task 'landmark': did you mean 'landmarks'?"),
        (("--task", "text", "--image-size", 8), "--image-size does not apply to the task text"),
        (("--task", "landmarks", "--teacher", "resnet56"), "unknown teacher 'resnet56'"),
        (("--task", "landmarks", "--data", "cifar10"), "unknown dataset of landmarks 'cifar10'"),
        (("--task", "landmarks", "--scorer", "semantic"), "of the task landmarks do not provide"),
    ],
)
def test_options_of_another_task_are_refused(
    cli: CommandLine, options: tuple[str, ...], message: str
) -> None:
    assert message in only_line(cli("search", *options))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("diswot pre", ["predict"]),
        ("diswot predict x --to", ["--top"]),
        ("diswot search --task la", ["landmarks"]),
        ("diswot search --space mob", ["mobile", "mobile-small"]),
        ("diswot run --scorer diswot,nw", ["diswot,nwot"]),
        ("diswot distill --loss diswot", ["diswot", "diswot-dagger"]),
        ("diswot search --task text --teacher encoder-l", ["encoder-large"]),
        ("diswot search --data dig", ["digits"]),
        ("diswot run --method sup", ["supernet"]),
        ("diswot search --engine rand", ["random"]),
        ("diswot search --teacher h", []),
        ("diswot latency measure 1-1-1 --form on", ["onnx"]),
        ("diswot run --track tensorboard,ml", ["tensorboard,mlflow"]),
        ("diswot export x --formats onnx,open", ["onnx,openvino"]),
    ],
)
def test_the_shell_completes_commands_options_and_names(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, words: str, expected: list[str]
) -> None:
    for name, value in completing(words).items():
        monkeypatch.setenv(name, value)
    done = cli()
    assert done.out.split() == [f"plain,{name}" for name in expected]
    assert done.err == ""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("words", "expected"),
    [("diswot predict x --to", "--top"), ("diswot search --task la", "landmarks")],
)
def test_a_process_completes_for_the_shell(words: str, expected: str) -> None:
    program = [sys.executable, "-m", "diswot"]
    environment = os.environ | completing(words)
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"plain,{expected}\n", "")


def completing(words: str) -> dict[str, str]:
    """Return the variables with which bash asks for completions of a line."""
    return {
        "_DISWOT_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
