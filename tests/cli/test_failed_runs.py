"""Failing candidates: the search continues, and exits with status 1 if all fail."""

import json
from pathlib import Path
from typing import Any

import pytest

from diswot.search import Candidate, load_run
from tests.cli.conftest import ONE_EPOCH, QUICK, tree
from tests.cli.faulty import Small
from tests.conftest import CommandLine


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def candidates_of(folder: Path) -> tuple[Candidate, ...]:
    return load_run(folder, space=Small()).candidates


@pytest.mark.slow
@pytest.mark.parametrize("command", ["search", "run"])
def test_if_all_candidates_fail_the_run_exits_with_1(
    cli: CommandLine, tmp_path: Path, command: str
) -> None:
    space = ("--space", "tests.cli.faulty:AllNaN")
    epochs = ONE_EPOCH if command == "run" else ()
    outcome = cli(command, *QUICK, *space, *epochs, "--out", tmp_path / "out")
    assert outcome.code == 1
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("diswot: all 4 candidates failed")
    left = {path.name for path in tree(tmp_path / "out")} - {".lock"}
    assert left == {"config.toml", "manifest.json", "journal.jsonl"}
    assert len(journal(tmp_path / "out")) == 7  # three baselines and four candidates
    assert all("nan" in line["failure"] for line in journal(tmp_path / "out"))


@pytest.mark.parametrize("engine", ["evolution", "random"])
@pytest.mark.parametrize(("space", "reason"), [("OneNaN", "nan"), ("OneRaises", "this one")])
def test_a_failing_candidate_does_not_stop_the_search(
    cli: CommandLine, tmp_path: Path, space: str, reason: str, engine: str
) -> None:
    chosen = ("--space", f"tests.cli.faulty:{space}", "--engine", engine)
    outcome = cli("search", *QUICK, *chosen, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    failures = {line["architecture"]: line["failure"] for line in journal(tmp_path / "out")}
    assert set(failures) == {"width=2", "width=4", "width=6", "width=8"}
    assert [name for name, failure in failures.items() if failure] == ["width=4"]
    assert reason in failures["width=4"]
    assert json.loads(outcome.out)["best"]["architecture"] != "width=4"
    assert [c.name for c in candidates_of(tmp_path / "out") if c.failure] == ["width=4"]
