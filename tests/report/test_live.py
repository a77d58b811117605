"""The page and the terminal follow a run of another process, which is not disturbed."""

import multiprocessing
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

import diswot
from diswot.progress import Step
from diswot.report import follow_run
from diswot.runs import Activity, is_active, read_activity, watch_activity
from diswot.search import load_partial_run
from tests.cli.conftest import only_line
from tests.conftest import CommandLine

pytestmark = pytest.mark.processes

SEARCH = {"population": 5, "generations": 1, "repeats": 1, "batch_size": 8, "device": "cpu"}


def search_slowly(folder: Path, seconds: float) -> None:
    """Search in a folder, with a pause after every candidate."""

    def wait(step: Step) -> None:
        if step.stage == "score":
            time.sleep(seconds)

    diswot.search("resnet20", "s0", out=folder, progress=wait, **SEARCH)  # type: ignore[arg-type]


def evaluated(folder: Path) -> int:
    """Return the number of candidates in a journal."""
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


@contextmanager
def started(folder: Path, seconds: float = 0.2) -> Iterator[BaseProcess]:
    """Start a search in another process, and wait until its first candidates are there."""
    process = multiprocessing.get_context("fork").Process(
        target=search_slowly, args=(folder, seconds)
    )
    process.start()
    try:
        while process.is_alive() and evaluated(folder) < 2:
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.join()


def test_a_page_follows_a_search_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    pages: list[tuple[Activity, str]] = []

    def keep(activity: Activity) -> None:
        pages.append((activity, (folder / "report.html").read_text(encoding="utf-8")))

    with started(folder) as process:
        assert is_active(folder) is True
        report = follow_run(folder, plots=False, seconds=0.1, changed=keep)
        process.join()
        assert process.exitcode == 0
    assert pages[0][0].active is True
    assert not pages[0][0].finished
    assert 'http-equiv="refresh"' in pages[0][1]
    assert "highest score so far" in pages[0][1]
    counts = [activity.stages[0].done for activity, _ in pages]
    assert counts == sorted(counts)
    assert len(pages) > 1
    last = report.page.read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in last
    alone = tmp_path / "alone"
    search_slowly(alone, 0)
    assert (folder / "result.json").read_bytes() == (alone / "result.json").read_bytes()


def test_scores_so_far_are_the_scores_of_the_search(run_folder: Path) -> None:
    final = {each.name: each.score for each in diswot.load_run(run_folder).ranking}
    journal = run_folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"schema": 2, "numb')
    partial = load_partial_run(run_folder)
    assert partial is not None
    assert {each.name: each.score for each in partial.ranking} == pytest.approx(final)
    assert journal.read_bytes().endswith(b"numb"), "the line of the other process is kept"


def test_the_terminal_follows_a_search(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with started(folder):
        outcome = cli("watch", folder)
    assert outcome.code == 0, outcome.err
    assert re.search(r"^search: \d+ of \d+ candidates \(finished\); ", outcome.out)
    assert f"Next: diswot report {folder}" in outcome.out
    assert "\x1b" not in outcome.out + outcome.err


def test_a_killed_search_ends_watching(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with started(folder, 5) as process:
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        assert is_active(folder) is False
        (activity,) = watch_activity(folder)
    assert activity.ended
    assert not activity.finished
    assert "stopped before it finished" in cli("watch", folder).out
    assert cli("report", folder, "--live", "--no-plots").code == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "The run stopped before it finished." in page
    assert "refresh" not in page.split("</head>")[0]


def test_unfinished_trainings_are_drawn(run_folder: Path) -> None:
    for path in run_folder.glob("distill/*/report.json"):
        path.unlink()
    (run_folder / "result.json").unlink()
    names = [stage.name for stage in read_activity(run_folder).stages]
    assert names == ["search", "alone", "diswot", "diswot-dagger"]
    follow_run(run_folder, plots=False)
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    assert "Accuracy during distillation" in page
    assert "Validation accuracy, %" in page
    assert "2 of 2 epochs" in page


def test_a_first_training_has_the_unit_of_its_metric(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    small = SEARCH | {"task": "landmarks", "scorer": "params", "population": 2, "generations": 0}
    diswot.search("mobile-medium", "mobile-small", out=folder, **small)  # type: ignore[arg-type]
    training = folder / "distill" / "l2"
    training.mkdir(parents=True)
    row = "epoch,learning_rate,train_loss,val_NME,examples_per_second,seconds\n1,0.1,1,9.5,9,1\n"
    (training / "metrics.csv").write_text(row, encoding="utf-8")
    (folder / "result.json").unlink()
    page = follow_run(folder, plots=False).page.read_text(encoding="utf-8")
    assert re.search(r"Validation NME, % of the [^<]+, lower is better", page)


def test_a_finished_run_is_reported_at_once(run_folder: Path) -> None:
    activity = read_activity(run_folder)
    assert (activity.finished, activity.active) == (True, False)
    assert all(stage.finished for stage in activity.stages)
    page = follow_run(run_folder, plots=False).page
    assert "Progress" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [("watch",), ("report", "--live")], ids=" ".join)
def test_a_folder_that_is_not_a_run_is_refused(
    cli: CommandLine, tmp_path: Path, command: tuple[str, ...]
) -> None:
    assert str(tmp_path) in only_line(cli(command[0], tmp_path, *command[1:]))
    assert not {".lock", "report.html"} & {path.name for path in tmp_path.iterdir()}


def test_watching_leaves_a_run_as_it_is(cli: CommandLine, run_folder: Path) -> None:
    (run_folder / ".lock").unlink(missing_ok=True)
    shutil.rmtree(run_folder / "student")
    before = {path: path.stat().st_mtime_ns for path in run_folder.rglob("*")}
    assert cli("watch", run_folder).code == 0
    assert {path: path.stat().st_mtime_ns for path in run_folder.rglob("*")} == before
