"""A stopped search resumes with the same result, or the error says why it cannot."""

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import diswot
from diswot.errors import OptionError, RunFolderError
from diswot.runs import line_with_checksum
from diswot.runs.folder import read_json, write_record
from diswot.search import ENGINES, Budget, resume
from diswot.training import ADDED
from search_spaces import ResNetDepthSpace
from tests.conftest import CommandLine
from tests.search.conftest import SMALL, entries_of, lines_of, outcome_of, search, unfinished
from tests.search.spaces import Slow, Tiny

Change = Callable[[dict[str, Any]], object]

# With a budget so that nsga2 sees candidates over it; with a combination in which every
# score depends on all others, and one that depends on the first generation.
RUNS: dict[str, dict[str, Any]] = {name: {"engine": name} for name in ENGINES} | {
    "evolution by rank": {"engine": "evolution", "combination": "rank"},
    "regularized by standard": {"engine": "regularized", "combination": "standard"},
    "three objectives": {"engine": "nsga2", "objectives": ("score", "macs", "memory")},
}
BUDGET = Budget(params=20_000)


@pytest.fixture(name="finished", scope="module", params=RUNS)
def fixture_finished(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of a finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    search(out=folder, budget=BUDGET, **RUNS[request.param])
    return folder


@pytest.mark.slow
@settings(max_examples=6)
@given(data=st.data())
def test_a_journal_truncated_anywhere_resumes_to_the_same_result(
    finished: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = b"".join(lines_of(finished))
    end = data.draw(st.integers(0, len(content)))
    folder = unfinished(tmp_path_factory.mktemp("run"), [content[:end]], finished)
    resume(folder, space=Tiny())
    assert outcome_of(folder) == outcome_of(finished)


@pytest.mark.slow
@settings(max_examples=6)
@given(data=st.data())
def test_journal_lines_in_any_order_give_the_same_result(
    finished: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = data.draw(st.permutations(lines_of(finished)))
    left = lines[: data.draw(st.integers(0, len(lines)))]
    folder = unfinished(tmp_path_factory.mktemp("run"), left, finished)
    resume(folder, space=Tiny())
    assert lines_of(folder)[: len(left)] == left
    assert outcome_of(folder) == outcome_of(finished)


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_an_extended_run_equals_a_longer_run(tmp_path: Path, run: str) -> None:
    options: dict[str, Any] = {"budget": BUDGET, **RUNS[run]}
    search(out=tmp_path / "long", generations=3, **options)
    search(out=tmp_path / "short", generations=1, **options)
    resume(tmp_path / "short", space=Tiny(), generations=3)
    assert outcome_of(tmp_path / "short") == outcome_of(tmp_path / "long")
    manifests = [(tmp_path / name / "manifest.json").read_bytes() for name in ("short", "long")]
    assert manifests[0] == manifests[1]


@pytest.fixture(name="run", scope="module")
def fixture_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    search(out=folder)
    return folder


@pytest.mark.slow
def test_resuming_a_finished_run_returns_its_result(run: Path) -> None:
    before = (run / "journal.jsonl").read_bytes(), (run / "result.json").read_bytes()
    again = resume(run, space=Tiny())
    assert ((run / "journal.jsonl").read_bytes(), (run / "result.json").read_bytes()) == before
    assert again.candidates == diswot.load_run(run, space=Tiny()).candidates


def test_the_result_contains_front_knee_and_shortlist(run: Path) -> None:
    result, loaded = json.loads((run / "result.json").read_text()), diswot.load_run(run)
    assert result["objectives"] == ["score", "params"]
    assert result["front"] == [candidate.name for candidate in loaded.front]
    assert result["front"][0] == result["shortlist"][0] == result["best"]["architecture"]
    assert result["knee"] == loaded.knee.name
    assert result["knee"] in result["front"]
    assert result["shortlist"] == [candidate.name for candidate in loaded.shortlist()]
    assert len(set(result["shortlist"])) == 5


@pytest.mark.slow
def test_an_extended_run_removes_the_result_of_the_shorter(run: Path, tmp_path: Path) -> None:
    folder = unfinished(tmp_path / "run", lines_of(run), run)
    (folder / "result.json").write_bytes((run / "result.json").read_bytes())

    def stop(step: object) -> None:
        if len(lines_of(folder)) > len(lines_of(run)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume(folder, space=Tiny(), generations=4, progress=stop)
    with pytest.raises(RunFolderError, match="did not finish"):
        diswot.load_run(folder)
    search(out=tmp_path / "long", generations=4)
    resume(folder, space=Tiny())
    assert outcome_of(folder) == outcome_of(tmp_path / "long")


def test_fewer_generations_are_refused(run: Path) -> None:
    with pytest.raises(OptionError, match="2 generations already"):
        resume(run, space=Tiny(), generations=1)


def ones(student: object, teacher: object) -> float:
    return 1.0


OTHER_IMAGES = [(torch.full((1, 16, 16), i / 200), i % 10) for i in range(200)]


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"data": OTHER_IMAGES}, "the data is not that of the run"),
        ({"teacher": "resnet32"}, "the teacher is not that of the run"),
        ({"scorer": "nwot"}, "started with the scorer student_fit, but got nwot"),
        ({"scorer": ones}, "started with the scorer student_fit, but got ones"),
        ({"space": "s0"}, "the space is not that of the run"),
        ({"space": Tiny((1, 2))}, "the space is not that of the run"),
        ({"space": Tiny((1, 2, 3, 4))}, "the space is not that of the run"),
        (
            {"space": ResNetDepthSpace((1, 2, 3), widths=(4, 4, 8, 8), in_channels=1)},
            "the space is not that of the run",
        ),
    ],
    ids=["data", "teacher", "scorer", "function", "space", "smaller", "larger", "other widths"],
)
def test_arguments_that_differ_from_the_run_are_refused(
    run: Path, tmp_path: Path, other: dict[str, Any], what: str
) -> None:
    folder = unfinished(tmp_path / "run", lines_of(run)[:5], run)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(RunFolderError, match=what) as refusal:
        resume(folder, **({"space": Tiny()} | other))
    assert "\n" not in str(refusal.value)
    left = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}
    assert left == before


@pytest.mark.parametrize(("missing", "option"), [("space", "--space"), ("scorer", "--scorer")])
def test_python_objects_must_be_given_again(tmp_path: Path, missing: str, option: str) -> None:
    code: dict[str, Any] = {"space": Tiny(), "scorer": ones}
    search(out=tmp_path / "run", scorer=ones)
    resume(tmp_path / "run", **code)
    del code[missing]
    with pytest.raises(diswot.DiswotError, match=option):
        resume(tmp_path / "run", **code)


def changed(line: bytes, **values: object) -> bytes:
    entry = json.loads(line) | values
    del entry["crc32"]
    return line_with_checksum(entry)


def test_the_error_names_the_candidate_of_another_runs_journal(run: Path, tmp_path: Path) -> None:
    lines = lines_of(run)
    names = {entry["architecture"] for entry in entries_of(run)}
    other = next(name for name in map(Tiny().to_string, Tiny()) if name not in names)
    number = json.loads(lines[7])["number"]
    lines[7] = changed(lines[7], architecture=other, key=other)
    folder = unfinished(tmp_path / "run", [*lines[:5], *lines[6:]], run)
    with pytest.raises(RunFolderError, match=f"the journal's candidate {number} is {other}, but"):
        resume(folder, space=Tiny())


@pytest.mark.parametrize("place", [1, 3, 11])
@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2] + b"\n",
        lambda line: b"\n",
        lambda line: line.replace(b'"schema": 2', b'"schema": 3'),
        lambda line: changed(line, number=-1),
        lambda line: b"\x00" * len(line) + b"\n",
    ],
    ids=["half", "empty", "schema", "doubled", "zeros"],
)
def test_the_error_names_the_damaged_line_of_a_journal(
    run: Path, tmp_path: Path, place: int, damage: Callable[[bytes], bytes]
) -> None:
    lines = lines_of(run)
    lines[place] = damage(lines[place])
    folder = unfinished(tmp_path / "run", lines, run)
    with pytest.raises(RunFolderError, match=f"line {place + 1} of {folder / 'journal.jsonl'}"):
        resume(folder, space=Tiny())
    assert lines_of(folder) == lines


def test_an_incomplete_last_line_is_dropped_and_reported(run: Path, tmp_path: Path) -> None:
    lines = lines_of(run)
    folder = unfinished(tmp_path / "run", [*lines[:5], lines[5][:30]], run)
    message: list[str] = []
    resume(folder, space=Tiny(), progress=lambda step: message.append(step.note))
    assert any(
        "dropped an incomplete last line" in note and lines[5][:30].decode() in note
        for note in message
    )
    assert "5 candidates known" in message


def without(*path: str) -> Change:
    def drop(manifest: dict[str, Any]) -> None:
        for name in path[:-1]:
            manifest = manifest[name]
        del manifest[path[-1]]

    return drop


def having(value: object, *path: str) -> Change:
    def put(manifest: dict[str, Any]) -> None:
        for name in path[:-1]:
            manifest = manifest[name]
        manifest[path[-1]] = value

    return put


@pytest.mark.parametrize(
    "change",
    [
        *(without(name) for name in ("job", "engine", "budget", "latency", "baselines")),
        *(without("settings", name) for name in ("repeats", "device", "threads", "teacher_state")),
        without("teacher"),
        without("engine", "objectives"),
        having("annealing", "engine", "name"),
        having(["score"], "engine", "name"),
        having(0, "engine", "population"),
        having("4", "engine", "population"),
        having("score", "engine", "objectives"),
        having([["score"]], "engine", "objectives"),
        having(-1, "budget", "params"),
        having("many", "budget", "params"),
        having(1, "budget", "watts"),
        having(3, "latency"),
        having(0, "settings", "threads"),
        having("1", "settings", "threads"),
        having([], "settings", "device"),
        having(3, "settings", "combination"),
        having(None, "baselines"),
        having("3-1-9", "baselines", "largest"),
        having(3, "baselines", "largest"),
        having("all", "job"),
        having({}, "job"),
        having({"compare": True, "onnx": None, "epochs": "many", "teacher_epochs": 1}, "job"),
    ],
)
def test_a_damaged_manifest_is_a_one_line_error(
    cli: CommandLine, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    monkeypatch.delenv("DISWOT_WORKERS")
    folder = unfinished(tmp_path / "run", lines_of(run)[:5], run)
    manifest = read_json(folder / "manifest.json")
    change(manifest)
    write_record(folder / "manifest.json", manifest)
    outcome = cli("resume", folder, "--space", "tests.search.spaces:Tiny")
    assert outcome.code == 2, outcome.err
    assert outcome.err.splitlines()[-1].startswith("diswot: ")
    assert len(outcome.err) < 1000


def written(folder: Path) -> int:
    """Return the number of complete lines of the journal."""
    path = folder / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(done: Callable[[], bool], ended: Callable[[], object | None]) -> None:
    """Wait for a condition, with a time limit, while the process is running."""
    deadline = time.monotonic() + 120
    while not done():
        assert ended() is None, "the search ended before it was stopped"
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(name="start", scope="module")
def fixture_start() -> Callable[..., BaseProcess]:
    """Return a function that runs another one in a new process with everything imported."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])

    def start(task: Callable[..., object], *arguments: object) -> BaseProcess:
        process = context.Process(target=task, args=arguments)
        process.start()
        return process

    return start


def search_slowly(folder: Path) -> None:
    """Start a search that takes a minute."""
    search(out=folder, space=Slow(), generations=100)


@pytest.mark.processes
def test_a_second_process_is_refused_and_the_first_can_be_killed(
    tmp_path: Path, start: Callable[..., BaseProcess]
) -> None:
    folder = tmp_path / "run"
    first = start(search_slowly, folder)
    wait_for(lambda: written(folder) >= 2, lambda: first.exitcode)
    with pytest.raises(RunFolderError, match=f"another process is using {folder}"):
        resume(folder, space=Slow())
    with pytest.raises(RunFolderError, match=f"another process is using {folder}"):
        search(out=folder)
    first.kill()
    first.join()
    known = written(folder)
    new: list[str] = []

    def stop(step: Any) -> None:
        if step.stage == "score":
            new.append(step.note)
        if len(new) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume(folder, space=Slow(), progress=stop)
    assert written(folder) == known + 3


def start_or_resume(folder: Path, options: dict[str, Any]) -> None:
    """Start a search, or resume it."""
    if (folder / "manifest.json").exists():
        resume(folder, space=Tiny())
    else:
        search(out=folder, **options)


@pytest.mark.processes
@pytest.mark.parametrize("engine", ["evolution", "nsga2"])
def test_kills_at_any_moment_do_not_change_the_result(
    tmp_path: Path, start: Callable[..., BaseProcess], engine: str
) -> None:
    options: dict[str, Any] = {"engine": engine, "generations": 4, "budget": BUDGET}
    search(out=tmp_path / "whole", **options)
    folder, chance = tmp_path / "killed", random.Random(engine)
    for _ in range(4):
        left = lines_of(folder)[: written(folder)] if written(folder) else []
        enough = written(folder) + chance.randint(1, 4)
        process = start(start_or_resume, folder, options)
        wait_for(lambda: written(folder) >= enough, lambda: process.exitcode)  # noqa: B023
        time.sleep(chance.uniform(0, 0.02))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert lines_of(folder)[: len(left)] == left
    start_or_resume(folder, options)
    assert outcome_of(folder) == outcome_of(tmp_path / "whole")


@pytest.mark.slow
def test_a_folder_without_a_manifest_counts_as_empty(tmp_path: Path) -> None:
    """A process can be killed after it wrote these files and before the manifest."""
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".lock", "manifest.json.7.partial"):
        (folder / name).touch()
    search(out=folder)
    search(out=tmp_path / "whole")
    assert outcome_of(folder) == outcome_of(tmp_path / "whole")


def main_job(folder: Path, root: Path) -> None:
    """Start the main job, or resume it."""
    if (folder / "manifest.json").exists():
        diswot.pipeline.resume(folder, space=Tiny(), data_root=root)
    else:
        trained: dict[str, Any] = {
            "epochs": 2,
            "teacher_epochs": 1,
            "force": True,
            "data_root": root,
        }
        diswot.run("resnet20", Tiny(), out=folder, onnx=False, **SMALL, **trained)


def table_of(folder: Path) -> dict[str, Any]:
    """Return the result of the main job without times and checksum."""
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    del result["sha256"]
    for row in result["table"]:
        del row["latency_ms"]
    for form in result["student"]["forms"].values():
        del form["milliseconds"]
    for name in ("config.json", "README.md"):  # which contains milliseconds
        del result["student"]["digests"][name]
    return result


@pytest.fixture(name="whole_job", scope="module")
def fixture_whole_job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an uninterrupted main job, next to the data root."""
    place = tmp_path_factory.mktemp("job")
    (place / "data").mkdir()
    main_job(place / "whole", place / "data")
    return place / "whole"


@pytest.mark.processes
@pytest.mark.parametrize(
    "moment", ["journal.jsonl", "distill/alone", "distill/diswot-dagger", "distill/random"]
)
def test_the_main_job_resumes_in_every_stage(
    whole_job: Path, tmp_path: Path, start: Callable[..., BaseProcess], moment: str
) -> None:
    folder, root = tmp_path / "run", whole_job.with_name("data")
    process = start(main_job, folder, root)
    wait_for(
        lambda: written(folder) >= 3 and (folder / moment).exists(),
        lambda: process.exitcode,
    )
    process.kill()
    process.join()
    assert not (folder / "student").exists()
    main_job(folder, root)
    assert table_of(folder) == table_of(whole_job)
    assert outcome_of(folder)[1] == outcome_of(whole_job)[1]
    weights = [path / "student" / "weights.safetensors" for path in (folder, whole_job)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.processes
def test_a_job_without_newer_options_is_resumed(whole_job: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(whole_job, tmp_path / "run"))
    manifest = read_json(folder / "manifest.json")
    for name in ("teacher_view", "method", *ADDED):
        del manifest["job"][name]
    write_record(folder / "manifest.json", manifest)
    main_job(folder, whole_job.with_name("data"))
    assert table_of(folder)["verdict"] == table_of(whole_job)["verdict"]


Resized = Callable[[str], None]


@pytest.fixture(name="disk")
def fixture_disk(tmp_path: Path) -> Iterator[tuple[Path, Resized]]:
    """Return a disk of six pages, and a function that enlarges it."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(*options: str) -> None:
        command = ["mount", "-t", "tmpfs", *options, "tmpfs", str(disk)]
        subprocess.run(command, check=True, capture_output=True, text=True)

    try:
        mount("-o", "size=24k")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"mounting a file system is not possible here: {error}")
    try:
        yield disk, lambda size: mount("-o", f"remount,size={size}")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.processes
@pytest.mark.parametrize(
    "pages", [0, 1, 2, 3, 5], ids=["lock", "manifest", "first line", "line", "result"]
)
def test_a_run_stopped_by_a_full_disk_resumes(
    cli: CommandLine, tmp_path: Path, disk: tuple[Path, Resized], pages: int
) -> None:
    place, resize = disk
    command = ("search", "--teacher", "resnet20", "--space", "tests.search.spaces:Tiny")
    options = ("--engine", "exhaustive", "--repeats", "1", "--batch-size", "8")
    (place / "filler").write_bytes(b"." * 4096 * (6 - pages))
    stopped = cli(*command, *options, "--out", place / "run")
    assert stopped.code == 1
    line = stopped.err.splitlines()[-1]
    assert line.startswith("diswot: ")
    assert "No space left on device" in line
    assert "Traceback" not in stopped.err
    started = pages > 1  # the lock and the manifest take a page each
    assert (place / "run" / "manifest.json").exists() == started
    resize("128k")
    if started:
        again = cli("resume", place / "run", "--space", "tests.search.spaces:Tiny")
    else:
        again = cli(*command, *options, "--out", place / "run")
    assert again.code == 0, again.err
    search(out=tmp_path / "whole", space=Tiny(), engine="exhaustive", population=20, generations=10)
    assert outcome_of(place / "run")[1] == outcome_of(tmp_path / "whole")[1]
