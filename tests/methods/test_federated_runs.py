"""`diswot run --method federated`: searches, rounds, page, resuming, and bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

import diswot
from diswot.errors import OptionError
from diswot.methods.federated import FederatedReport
from diswot.pipeline import check_run
from diswot.search import Budget
from tests.conftest import CommandLine
from tests.methods.federated import TinySpace, small_data

SMALL: dict[str, Any] = {
    "method": "federated",
    "clients": 2,
    "alpha": 100.0,
    "rounds": 2,
    "population": 2,
    "generations": 0,
    "repeats": 1,
    "batch_size": 8,
    "scorer": "params",
}


def test_a_run_finds_students_under_each_clients_budget(tmp_path: Path) -> None:
    report = diswot.run(
        None,
        TinySpace(),
        out=tmp_path / "run",
        data=small_data(),
        progress=False,
        **{**SMALL, "client_params": [150, 1000]},
    )
    assert isinstance(report, FederatedReport)
    small, large = report.to_records()
    assert (small["max params"], large["max params"]) == (150, 1000)
    assert small["params"] <= 150 < large["params"]
    for name in ("client-1", "client-2"):
        journal = tmp_path / "run" / "clients" / name / "search" / "journal.jsonl"
        assert journal.read_text().count("\n") >= 2
    record = json.loads((tmp_path / "run" / "result.json").read_text())
    assert record["sent"] == [{"client-1": 384, "client-2": 384}] * 2
    written = diswot.write_report(tmp_path / "run", plots=False)
    page = written.page.read_text()
    for words in ("Label mixes", "Round 2: weights of", "Bytes and times", "are not public"):
        assert words in page


def test_without_a_teacher_scores_read_the_consensus(tmp_path: Path) -> None:
    diswot.run(
        None,
        TinySpace(),
        out=tmp_path / "run",
        data=small_data(),
        progress=False,
        **{**SMALL, "rounds": 1, "scorer": "kd"},
    )
    for name in ("client-1", "client-2"):
        folder = tmp_path / "run" / "clients" / name
        assert (folder / "consensus.safetensors").is_file()
        manifest = json.loads((folder / "search" / "manifest.json").read_text())
        assert manifest["settings"]["teacher_state"] == "trained"


@pytest.mark.slow
def test_the_command_prints_clients_and_resumes(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = ["--clients", "2", "--rounds", "2", "--local-samples", "16", "--space", "thin"]
    options += ["--population", "2", "--generations", "0", "--repeats", "1", "--batch-size", "8"]
    options += ["--scorer", "params", "--client-params", "2k,20k", "--workers", "1"]
    done = cli("run", "--method", "federated", "--out", str(folder), *options)
    assert done.code == 0, done.err
    assert "Clients after 2 rounds, fusion knfu" in done.out
    before = (folder / "result.json").read_text()
    (folder / "result.json").unlink()
    journal = (folder / "rounds.jsonl").read_text().splitlines(keepends=True)
    (folder / "rounds.jsonl").write_text(journal[0])
    again = cli("resume", str(folder))
    assert again.code == 0, again.err
    assert (folder / "result.json").read_text() == before
    refused = cli("resume", str(folder), "--generations", "3")
    assert "--generations cannot change" in refused.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clients": 1}, "Expected clients to be a whole number from 2 to 10,000, but got 1"),
        ({"alpha": 0.0}, "Expected alpha to be a number above 0 and of at most 1,000,000"),
        ({"clients": 3, "neighbors": 4}, "neighbors to be at most the 3 clients, but got 4"),
        ({"client_params": "300k,many"}, "positive numbers such as 100k,300k, but got 'many'"),
        ({"partition": "absent.csv"}, "the partition absent.csv is not a file"),
        ({"shortlist": 3}, "--shortlist does not apply to --method federated"),
        ({"task": "text"}, "which the task text does not have"),
    ],
)
def test_bad_options_are_refused_before_data_are_read(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        check_run(None, None, budget=Budget(), out=None, method="federated", **options)
