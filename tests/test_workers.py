"""Worker processes, some of which are killed."""

import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
import torch

from diswot.errors import OptionError, RunError
from diswot.finished import Finished, as_finished
from diswot.workers import InProcess, WorkerDied, Workers, check_workers

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two workers need two cores"),
]

prepared: list[str] = []


def prepare(word: str) -> None:
    """Store the arguments that every process gets once."""
    prepared.append(word)


def state() -> tuple[int, list[str], int]:
    """Return the state of a process."""
    return os.getpid(), prepared, torch.get_num_threads()


def die() -> None:
    """Kill the process as the out-of-memory killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker: Path) -> int:
    """Kill the first process that calls this, and return in the second."""
    if not marker.exists():
        marker.touch()
        die()
    return os.getpid()


def fail() -> None:
    raise ValueError("not today")


class UnreadableError(Exception):
    """An exception that cannot be unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def fail_unreadably() -> None:
    raise UnreadableError("this", "that")


def return_unsendable() -> object:
    return lambda: None


def leave(folder: Path) -> None:
    """Record the process ID, and run forever."""
    (folder / str(os.getpid())).touch()
    time.sleep(3600)


def alive(process: int) -> bool:
    """Return whether a process is running; a zombie counts as ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(name="workers", scope="module")
def fixture_workers() -> Iterator[Workers]:
    with Workers(2, prepare, "ready") as workers:
        yield workers


def test_every_process_is_initialized_once_with_its_cores(workers: Workers) -> None:
    states = [workers.submit(state).result() for _ in range(8)]
    states += [future.result() for future in [workers.submit(state) for _ in range(8)]]
    assert 1 <= len({process for process, _, _ in states}) <= 2
    assert os.getpid() not in {process for process, _, _ in states}
    assert all(words == ["ready"] for _, words, _ in states)
    assert {threads for _, _, threads in states} == {(os.cpu_count() or 2) // 2}
    assert not prepared


def test_an_exception_fails_only_its_own_task(workers: Workers) -> None:
    failing, other = workers.submit(fail), workers.submit(state)
    with pytest.raises(ValueError, match="not today"):
        failing.result()
    assert other.result()[1] == ["ready"]


def test_an_unpicklable_exception_keeps_its_message(workers: Workers) -> None:
    with pytest.raises(RunError, match="UnreadableError: this and that"):
        workers.submit(fail_unreadably).result()


@pytest.mark.parametrize("task", [return_unsendable, lambda: 1])
def test_unpicklable_arguments_fail_only_their_task(workers: Workers, task: Any) -> None:
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        workers.submit(task).result()
    assert workers.submit(state).result()[1] == ["ready"]


def test_data_larger_than_a_pipe_buffer_is_sent_both_ways(workers: Workers) -> None:
    content = os.urandom(2**24)
    assert workers.submit(bytes, content).result() == content


def test_a_process_killed_before_a_large_argument_is_replaced(tmp_path: Path) -> None:
    with Workers(1, die_while_starting, tmp_path, 2) as workers:
        assert workers.submit(len, bytes(2**26)).result() == 2**26


def test_a_failing_initialization_is_the_error_of_the_task() -> None:
    with Workers(1, fail) as workers:
        for _ in range(2):
            with pytest.raises(ValueError, match="not today"):
                workers.submit(state).result()


def test_a_task_whose_process_is_killed_is_retried(workers: Workers, tmp_path: Path) -> None:
    before = {workers.submit(state).result()[0] for _ in range(4)}
    served = workers.submit(die_once, tmp_path / "died").result()
    assert alive(served)
    assert workers.submit(state).result()[1] == ["ready"]
    assert served not in before


def test_only_the_task_that_always_kills_its_process_fails(
    workers: Workers,
) -> None:
    deadly = workers.submit(die)
    others = [workers.submit(state) for _ in range(6)]
    with pytest.raises(WorkerDied, match="died, 2 times"):
        deadly.result()
    assert all(other.result()[1] == ["ready"] for other in others)


def test_a_process_killed_between_tasks_is_replaced(workers: Workers) -> None:
    for process in {workers.submit(state).result()[0] for _ in range(8)}:
        os.kill(process, signal.SIGKILL)
    assert workers.submit(state).result()[1] == ["ready"]


def die_while_starting(folder: Path, times: int) -> None:
    """Kill the first processes that start."""
    starts = len(list(folder.iterdir()))
    (folder / str(os.getpid())).touch()
    if starts < times:
        die()


def test_a_process_killed_while_it_starts_is_replaced(tmp_path: Path) -> None:
    with Workers(1, die_while_starting, tmp_path, 2) as workers:
        assert workers.submit(divmod, 7, 2).result() == (3, 1)
    assert len(list(tmp_path.iterdir())) == 3


def test_processes_that_never_start_are_an_error(tmp_path: Path) -> None:
    with (
        Workers(1, die_while_starting, tmp_path, 10**6) as workers,
        pytest.raises(RunError, match=r"killed while it started, 3 times \(signal 9\)"),
    ):
        workers.submit(divmod, 7, 2).result()
    assert len(list(tmp_path.iterdir())) == 3


def test_closing_ends_running_tasks(tmp_path: Path) -> None:
    workers = Workers(2)
    futures = [workers.submit(leave, tmp_path) for _ in range(3)]
    while not list(tmp_path.iterdir()):
        assert not wait(futures, 0.05).done
    workers.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + 60
    while not all(future.done() for future in futures):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    processes = [int(path.name) for path in tmp_path.iterdir()]
    while any(map(alive, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("count", [0, -1, (os.cpu_count() or 1) + 1, 10**6, "2", 1.5, None])
def test_more_workers_than_cores_or_none_are_refused(count: object) -> None:
    with pytest.raises(OptionError, match=r"Expected from 1 to \d+ workers, .* but got"):
        check_workers(count)  # type: ignore[arg-type]


def test_the_in_process_executor_runs_a_task_at_once() -> None:
    executor = InProcess()
    assert executor.submit(threading.get_ident).result() == threading.get_ident()
    with pytest.raises(ValueError, match="not today"):
        executor.submit(fail).result()


def test_futures_are_returned_as_they_finish() -> None:
    finished, (early, late) = Finished(), (Future[int](), Future[int]())
    for future in (late, early):
        finished.add(future)
    assert finished.take(wait=False) == []
    early.set_result(1)
    assert finished.take() == [early]
    late.set_exception(ValueError())
    assert finished.take(wait=False) == [late]
    assert list(as_finished([late, early])) == [late, early]


def test_ctrl_c_is_raised_when_results_are_taken() -> None:
    finished = Finished()
    before = signal.getsignal(signal.SIGINT)
    with finished.holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            finished.take()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_is_raised_at_once() -> None:
    with Finished().holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_results_can_be_taken_in_another_thread() -> None:
    def take() -> list[int]:
        with (finished := Finished()).holding_interrupts():
            finished.add(InProcess().submit(abs, -1))
            return [future.result() for future in finished.take()]

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(take).result() == [1]
