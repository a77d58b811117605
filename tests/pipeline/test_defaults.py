"""Defaults of a run: the demonstration of a task, and runs that name what they are about."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from diswot.pipeline import DEFAULT_BUDGET, with_defaults
from diswot.search import Budget
from tests.conftest import CommandLine

LIMIT = Budget(macs=1_000_000)


def test_a_run_without_a_subject_is_the_demonstration() -> None:
    space, budget, options = with_defaults(None, None, budget=None, options={"seed": 3})
    assert (space, budget) == ("thin", Budget(params=10_000))
    assert options == {"seed": 3, "trainings": 20}


@pytest.mark.parametrize(
    ("teacher", "space", "options"),
    [
        ("resnet20", None, {}),
        (None, "s0", {}),
        (None, None, {"data": "digits"}),
        (None, None, {"data": "photos/"}),
        (None, None, {"task": "landmarks"}),
        (None, None, {"task": "text"}),
        (None, None, {"task": "multi-label"}),
        (None, None, {"method": "other"}),
    ],
)
def test_other_runs_have_no_short_trainings(
    teacher: str | None, space: str | None, options: dict[str, Any]
) -> None:
    found = with_defaults(teacher, space, budget=None, options=options)
    assert found == (space, DEFAULT_BUDGET, options)


@pytest.mark.parametrize(
    ("given", "trainings"),
    [({"trainings": 3}, 3), ({"trainings": 0}, 0), ({"train_budget": "6x"}, None)],
)
def test_options_of_the_demonstration_can_be_given(
    given: dict[str, Any], trainings: int | None
) -> None:
    space, budget, options = with_defaults(None, None, budget=LIMIT, options=given)
    assert (space, budget, options.get("trainings")) == ("thin", LIMIT, trainings)


@pytest.mark.slow
@pytest.mark.processes
def test_diswot_run_without_a_subject(cli: CommandLine, tmp_path: Path) -> None:
    done = cli(
        "run", "--population", 3, "--generations", 0, "--epochs", 1, "--teacher-epochs", 1,
        "--force", "--no-compare", "--no-onnx", "--workers", 1, "--trainings", 2, "--out", "r",
    )  # fmt: skip
    assert done.code == 0, done.err
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text())
    assert manifest["budget"]["params"] == 10_000
    config = tomllib.loads((tmp_path / "r" / "config.toml").read_text())
    assert (config["space"], config["data"], config["max_params"]) == ("thin", "digits", 10_000)
    assert config["trainings"] == 2  # the run can be repeated from its file
