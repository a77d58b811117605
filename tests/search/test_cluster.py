"""Searches on a Dask cluster on this machine: a real scheduler and real workers."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import diswot
from diswot.errors import OptionError
from diswot.search import Budget
from tests.dask_cluster import CHECKOUT, ONE_THREAD, dask, eventually, scheduler, workers
from tests.search.conftest import entries_of, outcome_of, search
from tests.search.spaces import DEADLY, Deadly, Slow, Tiny

pytestmark = pytest.mark.processes

pytest.importorskip("distributed", reason="the extra dask is not installed")


@pytest.fixture(name="empty", scope="module")
def fixture_empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a scheduler without workers; tests may add some."""
    with scheduler(tmp_path_factory.mktemp("dask")) as address:
        yield address


def test_a_cluster_with_a_killed_worker_gives_the_same_result(empty: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"engine": "nsga2", "budget": Budget(params=20_000)}
    slow: dict[str, Any] = {"space": Slow(), "engine": "regularized", "generations": 3}
    with workers(empty, 2, *ONE_THREAD) as (first, _):
        search(out=tmp_path / "cluster", cluster=empty, **options)

        def kill(step: Any) -> None:
            if step.stage == "score" and step.done == 5:
                os.kill(first.pid, signal.SIGKILL)

        search(out=tmp_path / "killed", cluster=empty, progress=kill, **slow)
    search(out=tmp_path / "alone", **options)
    search(out=tmp_path / "slow", **slow)
    assert outcome_of(tmp_path / "cluster") == outcome_of(tmp_path / "alone")
    assert outcome_of(tmp_path / "killed") == outcome_of(tmp_path / "slow")
    processes = {entry["worker"].rpartition("/")[2] for entry in entries_of(tmp_path / "killed")}
    assert str(first.pid) in processes
    assert str(os.getpid()) not in processes
    assert len(processes) == 2


def test_a_worker_with_several_threads_gives_the_same_result(empty: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"engine": "random", "repeats": 3, "generations": 5}
    with workers(empty, 1, "--nthreads", 4, "--no-nanny"):
        search(out=tmp_path / "cluster", cluster=empty, **options)
    search(out=tmp_path / "alone", **options)
    assert outcome_of(tmp_path / "cluster") == outcome_of(tmp_path / "alone")


def test_only_the_candidate_that_kills_its_worker_fails(tmp_path: Path) -> None:
    once_more = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}
    with (
        scheduler(tmp_path, **once_more) as address,
        workers(address, 1, "--nthreads", 1, "--nanny"),
    ):
        run = search(space=Deadly(), engine="exhaustive", cluster=address)
    (failed,) = run.failures
    assert failed.name == DEADLY
    sound = {c.name: c.terms for c in search(engine="exhaustive").candidates}
    assert {c.name: c.terms for c in run.candidates} == sound | {DEADLY: {}}


HERE_ALONE = """
from tests.search.spaces import Tiny

class Elsewhere(Tiny):
    pass
"""


def test_code_missing_on_the_cluster_is_a_one_line_error(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text(HERE_ALONE)
    monkeypatch.syspath_prepend(tmp_path)
    with workers(empty, 1, *ONE_THREAD), pytest.raises(diswot.DiswotError) as refusal:
        search(space="only_here:Elsewhere", cluster=empty)
    assert "only_here" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_cluster_without_workers_is_refused(empty: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"the Dask scheduler at {empty} has no workers"):
        search(cluster=empty, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_workers_together_with_a_cluster_are_refused(empty: str) -> None:
    if (os.cpu_count() or 1) < 2:
        pytest.skip("two workers need two cores")
    with pytest.raises(OptionError, match="exclude each other"):
        search(cluster=empty, workers=2)


@pytest.fixture(name="silent")
def fixture_silent() -> Iterator[str]:
    """Return the address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(name="impatient")
def fixture_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the connection timeout to one second."""
    monkeypatch.setattr(import_module("diswot.search._dask"), "PATIENCE", 1)


@pytest.mark.usefixtures("impatient")
def test_a_server_that_never_answers_is_refused(silent: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"no Dask scheduler answers at {silent}") as refusal:
        search(cluster=silent, out=tmp_path / "run")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "nonsense", "", "tcp://", "ftp://127.0.0.1:8786", "tcp://x:y"]
)
def test_an_address_without_a_server_is_refused(address: str) -> None:
    with pytest.raises(OptionError, match="no Dask scheduler answers at") as refusal:
        search(cluster=address)
    assert "\n" not in str(refusal.value)
    assert Tiny().size == 27


SEARCH = ("search", "--space", "tests.search.spaces:Slow", "--engine", "exhaustive")
FEW = ("--repeats", "1", "--batch-size", "8", "--teacher", "resnet20", "--scorer", "params")


def test_a_search_resumes_after_its_scheduler_was_killed(tmp_path: Path) -> None:
    run, file = tmp_path / "run", tmp_path / "scheduler.json"
    quiet = ("--no-dashboard", "--no-show", "--host", "127.0.0.1", "--port", 0)
    with dask("scheduler", *quiet, "--scheduler-file", file) as scheduling:
        eventually(file.exists)
        address = str(json.loads(file.read_text())["address"])
        with workers(address, 1, *ONE_THREAD):
            command = [sys.executable, "-m", "diswot", *SEARCH, *FEW, "--cluster", address]
            with subprocess.Popen(
                [*command, "--out", str(run)],
                cwd=CHECKOUT,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            ) as searching:
                eventually(lambda: (run / "journal.jsonl").exists() and len(entries_of(run)) > 2)
                scheduling.kill()
                _, errors = searching.communicate(timeout=120)
    assert searching.returncode == 1
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == (
        f"diswot: the Dask scheduler at {address} is gone: start it and its workers again, then "
        f"`diswot resume {run}` resumes it"
    )
    known = len(entries_of(run))

    def stop(step: Any) -> None:
        if step.stage == "score":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        diswot.resume(run, space=Slow(), progress=stop)
    assert len(entries_of(run)) == known + 1
