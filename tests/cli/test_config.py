"""Options in a file, `--print-config`, and the file of a run folder that repeats the run."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diswot.runs.config import as_toml
from tests.cli.conftest import QUICK, only_line
from tests.conftest import CommandLine

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]))),
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), VALUES))
def test_options_written_as_toml_are_read_back(values: dict[str, Any]) -> None:
    assert tomllib.loads(as_toml(values)) == values


def written(text: str) -> str:
    Path("run.toml").write_text(text)
    return "run.toml"


def test_the_command_line_overrides_the_file(cli: CommandLine) -> None:
    tables = "[search]\nrepeats = 2\n[run]\nepochs = 3\n"
    path = written(f"population = 5\nmax-params = '300k'\n{tables}")
    outcome = cli("search", "--config", path, "--population", 7, "--print-config")
    printed = tomllib.loads(outcome.out)
    assert (printed["population"], printed["max_params"], printed["repeats"]) == (7, 300_000, 2)
    assert "epochs" not in printed
    assert "--population is 7, as on the command line, not 5 as in run.toml" in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("command", ["run", "search", "distill", "score"])
def test_the_printed_configuration_can_be_read_back(cli: CommandLine, command: str) -> None:
    archs = ["1-1-1"] if command == "score" else []
    printed = cli(command, *archs, "--seed", 3, "--print-config").out
    again = cli(command, *archs, "--config", written(printed), "--print-config")
    assert (again.code, again.out, again.err) == (0, printed, "")
    assert tomllib.loads(printed)["seed"] == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 1\n\npopulaton = 5\n", "run.toml, line 3: unknown option populaton: did you mean"),
        ("[search]\nbatch_size = '8'\n", "line 2: Expected batch_size to be a whole number, but"),
        ("population = true\n", "line 1: Expected population to be a whole number, but got True"),
        ("data = 3\n", "line 1: Expected data to be a string in quotes, but got 3"),
        ("# few\npopulation = 0\n", "line 2: Invalid value for '--population': 0 is not in the"),
        ("max_params = 'many'\n", "line 1: Invalid value for '--max-params': expected a positive"),
        ("combination = 'summ'\n", "line 1: Invalid value for '--combination'"),
        (
            "[serch]\nseed = 1\n",
            "line 1: [serch] is not a command that reads options from a file: did you",
        ),
        ("seed = \n", "cannot be read as TOML: Invalid value (at line 1"),
        ("objectives = [1]\n", "line 1: Expected objectives to be a list of strings"),
    ],
)
def test_an_error_in_the_file_names_its_line(cli: CommandLine, text: str, message: str) -> None:
    assert message in only_line(cli("search", "--config", written(text)))


def test_a_missing_file_is_refused(cli: CommandLine) -> None:
    assert "--config nowhere.toml" in only_line(cli("search", "--config", "nowhere.toml"))


def scored(folder: str) -> list[dict[str, Any]]:
    """Return the candidates of a journal without times, which differ from run to run."""
    lines = map(json.loads, Path(folder, "journal.jsonl").read_text().splitlines())
    other = ("seconds", "worker", "crc32")
    return [{name: v for name, v in line.items() if name not in other} for line in lines]


@pytest.mark.slow
def test_the_config_of_a_run_folder_repeats_the_run(cli: CommandLine) -> None:
    at_random = ("--engine", "random", "--seed", 5, "--max-params", "1M")
    first = cli("search", *QUICK, "--space", "s0", *at_random, "--out", "first")
    assert first.code == 0, first.err
    again = cli("search", "--config", "first/config.toml", "--out", "again")
    assert again.code == 0, again.err
    assert scored("again") == scored("first")
    for name in ("manifest.json", "config.toml"):
        assert Path("again", name).read_text() == Path("first", name).read_text()


@pytest.mark.slow
def test_the_config_of_a_training_repeats_it(cli: CommandLine) -> None:
    quick = ("--arch", "1-1-1", "--loss", "alone", "--epochs", 1, "--precision", "bf16")
    assert cli("distill", *quick, "--out", "first").code == 0
    assert cli("distill", "--config", "first/config.toml", "--out", "again").code == 0
    first, again = (Path(name, "best.safetensors").read_bytes() for name in ("first", "again"))
    assert again == first


def test_python_objects_are_left_out_of_the_file(run_folder: Path) -> None:
    config = (run_folder / "config.toml").read_text()
    assert "# space: not set" in config
    assert tomllib.loads(config)["teacher"] == "resnet20"
