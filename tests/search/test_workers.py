"""Searches with worker processes give the result of one process, even if workers are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diswot.errors import OptionError
from diswot.search import Budget, resume
from tests.search.conftest import entries_of, outcome_of, search
from tests.search.spaces import DEADLY, Deadly, Slow, Unsendable

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two cores"),
]


@pytest.mark.parametrize("engine", ["evolution", "nsga2", "regularized", "random"])
def test_two_workers_give_the_result_of_one(tmp_path: Path, engine: str) -> None:
    options: dict[str, Any] = {"engine": engine, "budget": Budget(params=20_000)}
    for workers in (1, 2):
        search(out=tmp_path / str(workers), workers=workers, **options)
    assert outcome_of(tmp_path / "2") == outcome_of(tmp_path / "1")
    scored = [entry["worker"] for entry in entries_of(tmp_path / "2") if entry["terms"]]
    assert str(os.getpid()) not in {worker.rpartition("/")[2] for worker in scored}


def test_a_killed_worker_costs_only_a_retry(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    killed: list[int] = []

    def kill(step: Any) -> None:
        if step.stage == "score" and step.done in (3, 8):
            killed.append(int(entries_of(folder)[-1]["worker"].rpartition("/")[2]))
            os.kill(killed[-1], signal.SIGKILL)

    options: dict[str, Any] = {"space": Slow(), "engine": "regularized", "generations": 3}
    search(out=folder, workers=2, progress=kill, **options)
    search(out=tmp_path / "whole", **options)
    assert len(set(killed)) == 2
    assert outcome_of(folder) == outcome_of(tmp_path / "whole")
    assert len({entry["worker"] for entry in entries_of(folder)}) >= 3


def test_only_the_candidate_that_kills_its_process_fails(tmp_path: Path) -> None:
    run = search(space=Deadly(), engine="exhaustive", workers=2, out=tmp_path / "run")
    assert len(run.candidates) == 27
    (failed,) = run.failures
    assert failed.name == DEADLY
    assert failed.failure is not None
    assert failed.failure.startswith("WorkerDied: ")
    sound = {c.name: c.terms for c in search(engine="exhaustive").candidates}
    assert {c.name: c.terms for c in run.candidates} == sound | {DEADLY: {}}
    again = resume(tmp_path / "run", space=Deadly())
    assert again.candidates == run.candidates


@pytest.mark.parametrize("what", ["space", "scorer"])
def test_arguments_that_cannot_be_pickled_are_a_one_line_error(tmp_path: Path, what: str) -> None:
    lock = threading.Lock()

    def locked(student: object, teacher: object) -> float:
        with lock:
            return 1.0

    chosen: dict[str, Any] = {"space": Unsendable()} if what == "space" else {"scorer": locked}
    with pytest.raises(OptionError, match="cannot be sent to workers") as refusal:
        search(workers=2, out=tmp_path / "run", **chosen)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "run").exists()
    assert len(search(workers=1, generations=0, **chosen).candidates) == 7  # three are baselines


def test_more_workers_than_cores_are_refused_before_writing(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="one for each core of this machine"):
        search(workers=(os.cpu_count() or 1) + 1, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


class Running:
    """A search of several minutes with two workers, in its own process group."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        chosen = "--space tests.search.spaces:Slow --engine exhaustive --workers 2 --repeats 1"
        command = ["search", "--teacher", "resnet20", "--batch-size", "8", *chosen.split()]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "diswot", *command, "--out", str(folder)],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not reached():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)  # listing all processes takes a while

    def members(self) -> set[int]:
        """Return the running processes of the group."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                status, _, group = path.read_text().rpartition(")")[2].split()[:3]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(group) == self.process.pid and status != "Z":
                found.add(int(path.parent.name))
        return found

    def lines(self) -> int:
        path = self.folder / "journal.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0


MOMENTS: dict[str, Callable[[Running], bool]] = {
    "no worker is there": lambda run: (run.folder / "manifest.json").exists(),
    "workers start": lambda run: len(run.members()) >= 3,
    "the first results come": lambda run: run.lines() >= 3,
    "workers are at work": lambda run: run.lines() >= 9,
}


@pytest.fixture(name="running", params=MOMENTS)
def fixture_running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    """Return a search that has reached a given moment."""
    running = Running(tmp_path / "run")
    try:
        running.wait_until(lambda: MOMENTS[request.param](running))
        yield running
    finally:
        for process in running.members():
            os.kill(process, signal.SIGKILL)
        running.process.communicate()


def ended(running: Running) -> bool:
    """Wait for the end of all processes, with a time limit."""
    deadline = time.monotonic() + 60
    while running.members() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not running.members()


def test_ctrl_c_ends_all_processes_and_says_how_to_resume(running: Running) -> None:
    os.killpg(running.process.pid, signal.SIGINT)
    _, errors = running.process.communicate(timeout=60)
    assert running.process.returncode == 130
    assert "Traceback" not in errors
    assert "diswot resume" in errors.splitlines()[-1]
    assert ended(running)


def test_no_worker_outlives_a_killed_parent(running: Running) -> None:
    running.process.kill()
    assert ended(running)


def test_the_process_group_contains_the_workers(tmp_path: Path) -> None:
    """Check that the tests above watch the right processes."""
    running = Running(tmp_path / "run")
    try:
        running.wait_until(lambda: running.lines() >= 3)
        workers = {entry["worker"].rpartition("/")[2] for entry in entries_of(running.folder)}
        assert {int(worker) for worker in workers} <= running.members()
    finally:
        running.process.kill()
        running.process.communicate()
    assert ended(running)
