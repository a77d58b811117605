"""One process at a time holds the lock of a run folder; others are refused at once."""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diswot.errors import RunError, RunFolderError
from diswot.runs import Interrupted, check_free, working_in, writing_into
from diswot.runs.folder import replace_file, write_record

HOLD = """
import sys, time
from diswot.runs import working_in
with working_in(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(name="holder")
def fixture_holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Return another process that holds the lock of the folder `run`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.processes
def test_a_second_process_is_refused_with_the_id_of_the_first(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    run = tmp_path / "run"
    words = (
        f"another process is using {run} (process {holder.pid} on {socket.gethostname()}): wait "
        f"until it ends, or stop it"
    )
    for inside in ("", "distill", "distill/diswot", "distill/diswot/shortlist/1-1"):
        with pytest.raises(RunFolderError) as refusal, working_in(run / inside):
            pass
        assert str(refusal.value) == words
        with pytest.raises(RunFolderError), writing_into(run / inside / "student"):
            pass
    assert [path.name for path in run.iterdir()] == [".lock"]
    holder.kill()
    holder.wait()
    with working_in(run / "distill"):
        check_free(run)


def test_a_second_thread_is_refused_but_nested_locks_work(tmp_path: Path) -> None:
    refused: list[Exception] = []

    def other() -> None:
        try:
            with working_in(tmp_path / "run" / "distill"):
                pass
        except RunFolderError as error:
            refused.append(error)

    with working_in(tmp_path / "run"), working_in(tmp_path / "run" / "distill" / "diswot"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_an_empty_run_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("empty", "new", "deep/er"):
        with working_in(tmp_path / place):
            assert (tmp_path / place).is_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (None, "nothing was written to {run}: give the command again"),
        ("manifest.json", "finished work is kept: `diswot resume {run}` resumes it"),
        ("training.json", "finished work is kept: `diswot resume {run}` resumes it"),
        ("checkpoint.pt", "finished work is kept: run the same command again"),
    ],
)
def test_ctrl_c_says_how_to_resume(tmp_path: Path, written: str | None, words: str) -> None:
    run = tmp_path / "run"

    def write() -> None:
        with working_in(run), working_in(run / "inside"):
            if written is not None:
                write_record(run / written, {})
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        write()
    assert str(stop.value) == "interrupted; " + words.format(run=run)
    assert run.exists() == (written is not None)


def test_a_full_disk_says_how_to_resume(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def full(partial: Path) -> None:
        partial.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(partial))

    def write() -> None:
        with working_in(run):
            write_record(run / "manifest.json", {})
            replace_file(run / "checkpoint.pt", full)

    with pytest.raises(RunError, match=f"free some space, then `diswot resume {run}`"):
        write()
    assert {path.name for path in run.iterdir()} == {".lock", "manifest.json"}


def test_half_written_files_of_killed_processes_are_removed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "distill" / "diswot").mkdir(parents=True)
    (run / ".student.7.partial").mkdir()
    (run / ".student.7.partial" / "student.py").touch()
    (run / "distill" / "diswot" / "checkpoint.pt.here-7.partial").touch()
    (run / "download.partial").touch()  # not written by this program
    with working_in(run):
        left = [path.name for path in run.rglob("*") if path.is_file()]
    assert sorted(left) == [".lock", "download.partial"]


@pytest.mark.processes
def test_outside_of_runs_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    host, path = socket.gethostname(), tmp_path / "table.csv"
    names = [f"table.csv.{host}-{pid}.partial" for pid in (dead.pid, os.getppid())]
    names.append(f"table.csv.elsewhere-{dead.pid}.partial")
    for name in names:
        (tmp_path / name).touch()
    replace_file(path, lambda partial: partial.write_text("whole"))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["table.csv", *names[1:]])


def test_a_folder_with_other_files_is_not_a_run(tmp_path: Path) -> None:
    (tmp_path / ".lock").touch()  # written by another program
    with working_in(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").exists()
        with pytest.raises(RunFolderError, match="cannot be written"), working_in("/proc/run"):
            pass
