"""Invalid options of engines, budgets, latencies, workers and resuming: one line each."""

import json
import os
import socket
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import diswot
from diswot.runs.folder import read_json
from tests.cli.conftest import ONE_EPOCH, QUICK, SPACE, Refused, only_line
from tests.cli.faulty import Small
from tests.conftest import CommandLine
from tests.edits import edit, replace_text

CORES = os.cpu_count() or 1
FEW_NETWORKS = ("--space", SPACE)

# Options after `diswot search` or `diswot run`, and what the line must say.
OPTIONS: dict[str, tuple[str, str]] = {
    "objective twice": ("--engine nsga2 --objectives score,params,score", "each once"),
    "objective unknown": ("--engine nsga2 --objectives score,watts", "watts"),
    "objective empty": ("--engine nsga2 --objectives score,", "Expected objectives among"),
    "no objective": ("--engine nsga2 --objectives ,", "Expected objectives among"),
    "objectives without score": ("--engine nsga2 --objectives params,macs", "Expected score"),
    "score alone": ("--engine nsga2 --objectives score", "addition to the score"),
    "objectives of evolution": ("--objectives score,params", "--engine nsga2"),
    "objectives of random": ("--engine random --objectives score,macs", "--engine nsga2"),
    "nsga2 of three": ("--engine nsga2 --population 3", "at least 4"),
    "population of words": ("--population many", "--population"),
    "population below zero": ("--population -4", "--population"),
    "half a generation": ("--generations 1.5", "--generations"),
    "exhaustive and endless": ("--engine exhaustive --space tests.cli.faulty:Huge", "4,000,000"),
    "milliseconds below zero": ("--max-latency-ms -5 --latency eager", "-5"),
    "no milliseconds": ("--max-latency-ms 0 --latency eager", "0"),
    "milliseconds not a number": ("--max-latency-ms nan --latency eager", "nan"),
    "endless milliseconds": ("--max-latency-ms inf --latency eager", "inf"),
    "milliseconds of words": ("--max-latency-ms fast", "--max-latency-ms"),
    "column of nothing": ("--latency-column pixel3", "--latency"),
    "column of nothing, with a limit": ("--latency-column a --max-latency-ms 5", "--latency"),
    "column of a measurement": ("--latency eager --latency-column x", "--latency-column"),
    "latency of a kind unknown": (
        "--latency guessed",
        "eager, onnx, torch-compile, a table (.csv)",
    ),
    "latency empty": ("--latency ", "eager, onnx, torch-compile, a table (.csv)"),
    "table that is not there": ("--latency nowhere.csv", "nowhere.csv"),
    "calibration not there": ("--latency nowhere.json", "nowhere.json"),
    "table that is a folder": ("--latency folder.csv", "folder.csv"),
    "table without rows": ("--latency empty.csv", "empty.csv"),
    "table of no text": ("--latency bytes.csv", "bytes.csv"),
    "table without architectures": ("--latency names.csv", "arch"),
    "table of two columns": ("--latency two.csv", "--latency-column"),
    "table lacks the column": ("--latency two.csv --latency-column pixel4", "'pixel3'"),
    "table lacks an architecture": (
        "--latency short.csv --max-latency-ms 9",
        "no latency of",
    ),
    "table of another space": ("--latency other.csv", "line 2"),
    "table of words": ("--latency words.csv", "line 3"),
    "calibration of nothing": ("--latency list.json", "list.json"),
    "memory below zero": ("--max-memory -1", "--max-memory"),
    "no memory": ("--max-memory 0", "--max-memory"),
    "memory excludes all": ("--max-memory 10", "memory"),
    "memory excludes all of nsga2": ("--engine nsga2 --population 4 --max-memory 10", "no arch"),
    "parameters exclude all": ("--engine exhaustive --max-params 10", "no architecture meets"),
    "parameters exclude all of nsga2": (
        "--engine nsga2 --population 4 --max-params 10",
        "no arch",
    ),
    "milliseconds exclude all": ("--latency all.csv --max-latency-ms 0.1", "latency_ms ≤ 0.1"),
    "no workers": ("--workers 0", "--workers"),
    "workers below zero": ("--workers -2", "--workers"),
    "workers of words": ("--workers all", "--workers"),
    "more workers than cores": (f"--workers {CORES + 1}", f"from 1 to {CORES} workers"),
    "no threads": ("--threads 0", "--threads"),
    "cluster is not there": ("--cluster tcp://127.0.0.1:x", "no Dask scheduler answers"),
    "cluster of words": ("--cluster my-cluster", "no Dask scheduler answers"),
}

TABLES = {
    "empty.csv": "arch,ms\n",
    "names.csv": "name,ms\nwidth=2,1.0\n",
    "two.csv": "arch,pixel3,fpga\nwidth=2,1.0,2.0\n",
    "short.csv": "arch,ms\nwidth=2,1.0\n",
    "other.csv": "arch,ms\n1-1-1,1.0\n",
    "words.csv": "arch,ms\nwidth=2,1.0\nwidth=4,slow\n",
    "all.csv": "arch,ms\n" + "".join(f"width={width},{width}.5\n" for width in (2, 4, 6, 8)),
    "list.json": "[]",
}


@pytest.fixture(autouse=True)
def tables(tmp_path: Path) -> None:
    """Write valid and invalid tables of latencies."""
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "bytes.csv").write_bytes(b"arch,ms\nwidth=2,\xff\n")
    (tmp_path / "folder.csv").mkdir()


@pytest.mark.parametrize("command", ["search", "run"])
@pytest.mark.parametrize("options", OPTIONS, ids=OPTIONS)
def test_an_invalid_option_is_refused(refused: Refused, command: str, options: str) -> None:
    chosen, message = OPTIONS[options]
    quick = (*QUICK, "--no-onnx") if command == "run" else QUICK
    assert message in refused(command, *quick, *chosen.split(" "))


@pytest.mark.parametrize("limit", [("--latency", "eager"), ("--max-latency-ms", "5")])
def test_a_measurement_on_a_cluster_is_refused(refused: Refused, limit: tuple[str, str]) -> None:
    line = refused("search", *QUICK, *limit, "--cluster", "tcp://127.0.0.1:1")
    assert "measured on this machine alone: leave --cluster out" in line


CONTRADICTIONS = (
    "--latency eager --cluster tcp://127.0.0.1:1",
    "--workers 2 --cluster tcp://127.0.0.1:1",
    "--latency-column pixel3",
    "--latency nowhere.csv",
    "--latency guessed",
    "--objectives score,params",
    "--engine nsga2 --population 3",
)


@pytest.mark.parametrize("command", ["search", "run"])
@pytest.mark.parametrize("options", CONTRADICTIONS)
def test_contradictions_are_refused_before_data_is_read(
    refused: Refused, command: str, options: str
) -> None:
    if "--workers" in options and CORES < 2:
        pytest.skip("two workers need two cores")
    line = refused(command, "--data", "nowhere", "--teacher", "nobody", *options.split())
    assert "nowhere/" not in line
    assert "data" not in line.split(":")[1]
    assert "nobody" not in line


@pytest.mark.parametrize("command", [("search", *QUICK), ("resume", "run", *FEW_NETWORKS)])
def test_workers_with_a_cluster_are_refused(
    refused: Refused, run_folder: Path, command: tuple[str, ...]
) -> None:
    if CORES < 2:
        pytest.skip("two workers need two cores")
    (run_folder / ".lock").touch()
    rename_space(run_folder)
    line = refused(*command, "--workers", "2", "--cluster", "tcp://127.0.0.1:1")
    assert "exclude each other" in line


def test_a_server_that_is_not_a_dask_scheduler_is_refused(
    refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("diswot.search._dask"), "PATIENCE", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        assert f"no Dask scheduler answers at {address}" in refused(
            "search", *QUICK, "--cluster", address
        )


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_resuming_a_folder_that_is_not_a_run_is_refused(
    refused: Refused, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "folder"
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.write_text("no folder")
    assert str(path) in refused("resume", path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "--space"),
        ("--space s0", "the space is not that of the run"),
        ("--space SPACE --generations 0", "generations already"),
        ("--space SPACE --generations -1", "--generations"),
        ("--space SPACE --generations many", "--generations"),
        ("--space SPACE --teacher resnet32", "the teacher is not that of the run"),
        ("--space SPACE --teacher resnet33", "'resnet32'"),
        ("--space SPACE --data cifar100", "cifar"),
        ("--space SPACE --scorer nwot", "started with the scorer student_fit"),
        ("--space SPACE --scorer nwoot", "'nwot'"),
        ("--space SPACE --teacher-weights nowhere.pt", "nowhere.pt"),
        ("--space SPACE --device abacus", "abacus"),
        ("--space SPACE --workers 0", "--workers"),
        (f"--space SPACE --workers {CORES + 1}", f"from 1 to {CORES} workers"),
        ("--space SPACE --cluster nonsense", "no Dask scheduler answers"),
        ("--space SPACE --population 4", "--population"),
        ("--space nowhere:Space", "nowhere"),
    ],
)
def test_invalid_options_of_resume_are_refused(
    refused: Refused, run_folder: Path, options: str, message: str
) -> None:
    rename_space(run_folder)
    (run_folder / ".lock").touch()
    line = refused("resume", run_folder, *options.replace("SPACE", SPACE).split())
    assert message.replace("SPACE", SPACE) in line


def rename_space(folder: Path) -> None:
    """Change the manifest as if the run had been started on the command line."""
    change(folder, space=SPACE)


def change(folder: Path, **settings: Any) -> None:
    edit(folder / "manifest.json", lambda manifest: manifest["settings"].update(settings))


@pytest.mark.parametrize("command", ["resume", "distill", "export"])
@pytest.mark.parametrize("schema", [1, 4, None, "2"])
def test_a_run_written_by_another_version_is_refused(
    refused: Refused, run_folder: Path, command: str, schema: object
) -> None:
    edit(run_folder / "manifest.json", lambda manifest: manifest.update(schema=schema))
    line = refused(command, run_folder, *FEW_NETWORKS)
    assert f"schema {schema!r}, expected 3" in line


def test_the_error_names_the_journal_line_of_another_space(
    refused: Refused, run_folder: Path
) -> None:
    rename_space(run_folder)
    (run_folder / ".lock").touch()
    journal = run_folder / "journal.jsonl"
    replace_text(journal, ("width=", "depth="))
    assert f"line 1 of {journal}" in refused("resume", run_folder, *FEW_NETWORKS)


@pytest.mark.parametrize("kind", ["teacher", "space", "data", "data_source", "scorer"])
def test_code_named_by_a_run_is_not_imported(refused: Refused, run_folder: Path, kind: str) -> None:
    (run_folder.parent / "hostile.py").write_text("import os; os.mkdir('made')")
    (run_folder / ".lock").touch()
    source = {"data": "hostile:X"} if kind == "data_source" else None
    change(run_folder, **({"space": "s0"} | {kind: "hostile:X"} | {"data_source": source}))
    line = refused("resume", run_folder)
    assert "hostile:X" in line
    assert kind == "scorer" or f"--{kind.removesuffix('_source')}" in line


def test_resuming_a_finished_run_prints_its_result(cli: CommandLine, run_folder: Path) -> None:
    rename_space(run_folder)
    before = (run_folder / "result.json").read_bytes()
    again = cli("resume", run_folder, *FEW_NETWORKS, "--json")
    assert again.code == 0, again.err
    result = read_json(run_folder / "result.json")
    assert json.loads(again.out) == result | {"folder": str(run_folder)}
    assert (run_folder / "result.json").read_bytes() == before


def test_an_unfinished_run_can_be_resumed_but_not_distilled(
    cli: CommandLine, run_folder: Path
) -> None:
    (run_folder / "result.json").unlink()
    line = only_line(cli("distill", run_folder, *FEW_NETWORKS, *ONE_EPOCH))
    assert f"diswot resume {run_folder}" in line
    rename_space(run_folder)
    assert cli("resume", run_folder, *FEW_NETWORKS).code == 0
    assert diswot.load_run(run_folder, space=Small()).best.score is not None
