"""Experiment trackers: stored values, resumption, errors and failing trackers."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import diswot
from diswot.errors import MissingExtraError, OptionError, UnknownNameError
from diswot.progress import Step, measured
from diswot.tracking import TRACKERS, run_ids, track
from tests.cli.conftest import only_line
from tests.cli.faulty import Small
from tests.conftest import CommandLine
from tests.training.short_training import few_digits, small

SEARCH: dict[str, Any] = {
    "population": 2,
    "generations": 1,
    "repeats": 1,
    "batch_size": 8,
    "device": "cpu",
}


class Recorder:
    """A tracker source that records everything it receives."""

    def __init__(self) -> None:
        self.runs: list[Recorded] = []
        self.usable = True
        self.working = True

    def check(self) -> None:
        if not self.usable:
            raise OptionError("--track recorder is not set up: set it up")

    def start(self, folder: Path, *, run_id: str | None) -> "Recorded":
        if not self.working:
            raise ConnectionError("no answer\nfrom the server")
        self.runs.append(Recorded(folder, run_id))
        return self.runs[-1]


class Recorded:
    """A run of the recording tracker."""

    def __init__(self, folder: Path, run_id: str | None) -> None:
        self.folder, self.continued = folder, run_id is not None
        self.run_id = run_id or "run-1"
        self.config: Mapping[str, Any] = {}
        self.values: list[tuple[int, dict[str, float]]] = []
        self.files: list[str] = []
        self.failed: bool | None = None

    def log_config(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        self.values.append((step, dict(values)))

    def log_file(self, path: Path, *, name: str) -> None:
        assert path == self.folder / name
        self.files.append(name)

    def close(self, *, failed: bool) -> None:
        self.failed = failed


@pytest.fixture(name="recorder")
def fixture_recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Register a tracker during a test."""
    recorder = Recorder()
    monkeypatch.setattr(TRACKERS, "_things", {**TRACKERS._things, "recorder": recorder})
    return recorder


@pytest.mark.slow
def test_a_search_logs_candidates_options_and_files(recorder: Recorder, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with track("recorder", folder, False) as progress:
        result = diswot.search("resnet20", Small(), out=folder, progress=progress, **SEARCH)
    (run,) = recorder.runs
    *candidates, (last, best) = run.values
    assert [step for step, _ in candidates] == list(range(1, len(candidates) + 1))
    names = {"score/params", "score/macs", "score/student_fit"}
    assert all(names <= values.keys() for _, values in candidates)
    assert last == len(candidates)
    assert best["score/best_params"] == result.best.params
    assert best["score/best_score"] == result.best.score
    assert run.config["population"] == SEARCH["population"]
    assert run.files == ["config.toml", "manifest.json", "result.json"]
    assert run.failed is False


def test_a_training_logs_every_epoch_and_the_test_metrics(
    recorder: Recorder, tmp_path: Path
) -> None:
    folder = tmp_path / "training"
    with track("recorder", folder, False) as progress:
        training = diswot.distill(
            small(0), None, loss="ce", data=few_digits(), epochs=2, out=folder, device="cpu",
            progress=progress,
        )  # fmt: skip
    (run,) = recorder.runs
    *epochs, (best, tested) = run.values
    assert [step for step, _ in epochs] == [1, 2]
    assert [values["ce/val_accuracy"] for _, values in epochs] == [
        epoch.val for epoch in training.history
    ]
    assert (best, tested) == (training.best_epoch, {"ce/test_accuracy": training.test.value})
    assert "metrics.csv" in run.files


def test_a_resumed_run_continues_in_the_tracker(recorder: Recorder, tmp_path: Path) -> None:
    for step in (1, 2):
        with track(["recorder"], tmp_path, False) as progress:
            progress(measured("score", {"params": 3}, at=step))
    assert [run.continued for run in recorder.runs] == [False, True]
    assert run_ids(tmp_path) == {"recorder": "run-1"}


@pytest.mark.slow
def test_a_run_resumes_without_a_tracker_that_is_unavailable(
    recorder: Recorder, cli: CommandLine, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    with track("recorder", folder, False) as progress:
        diswot.search("resnet20", "s0", out=folder, progress=progress, **SEARCH)
    recorder.usable = False
    done = cli("resume", folder, "--json")
    assert json.loads(done.out)["folder"] == str(folder)
    assert "note: resumed without the tracker recorder: --track recorder is not set" in done.err
    assert len(recorder.runs) == 1


def test_a_failed_run_is_closed_as_failed(recorder: Recorder, tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), track("recorder", tmp_path, False) as progress:
        progress(measured("score", {"params": 3}, at=1))
        raise KeyboardInterrupt
    assert recorder.runs[0].failed is True


def test_a_tracker_that_fails_is_reported_once(recorder: Recorder, tmp_path: Path) -> None:
    recorder.working, steps = False, list[Step]()
    with track("recorder", tmp_path, steps.append) as progress:
        for step in (1, 2):
            progress(measured("score", {"params": 3}, at=step))
    (note,) = [step.note for step in steps if step.stage == "track"]
    assert note == "recorder failed and is left out (ConnectionError: no answer)"
    assert run_ids(tmp_path) == {}


def test_trackers_are_checked_before_the_search(recorder: Recorder, tmp_path: Path) -> None:
    recorder.usable = False
    with pytest.raises(OptionError, match="set it up"), track("recorder", tmp_path):
        pass
    with pytest.raises(UnknownNameError, match="did you mean 'mlflow'"), track("mflow", tmp_path):
        pass
    with pytest.raises(OptionError, match=r"no diswot\.tracking\.TrackerSource"):
        track("builtins:dict", tmp_path).__enter__()


def test_the_error_names_the_extra_of_a_missing_tracker(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for module, name in (("tensorboard",) * 2, ("mlflow",) * 2, ("wandb",) * 2):
        monkeypatch.setitem(__import__("sys").modules, module, None)
        with pytest.raises(MissingExtraError, match=rf"diswot\[{name}\]"), track(name, tmp_path):
            pass


@pytest.mark.parametrize(
    "command", [("search",), ("run",), ("distill",), ("teacher", "train", "x")]
)
def test_commands_refuse_an_unknown_tracker(cli: CommandLine, command: tuple[str, ...]) -> None:
    line = only_line(cli(*command, "--track", "wandbb"))
    assert "unknown tracker 'wandbb': did you mean 'wandb'?" in line


def test_tensorboard_events_contain_the_values(tmp_path: Path) -> None:
    found = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with track("tensorboard", tmp_path, False) as progress:
        progress(Step("ce + 0.9*kd(T=4)", 1, 2, values={"train_loss": 0.5}, at=1))
    events = found.EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (value,) = events.Scalars("ce_0.9_kd_T_4_/train_loss")
    assert (value.step, value.value) == (1, 0.5)


@pytest.mark.slow
def test_mlflow_runs_are_stored_and_continued(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    folder = tmp_path / "run"
    (folder / "student").mkdir(parents=True)
    (folder / "config.toml").write_text("population = 2\n")
    (folder / "student" / "student.py").write_text("# a student\n")
    for epoch in (1, 2):
        with track("mlflow", folder, False) as progress:
            progress(Step("ce + kd(T=4)", epoch, 2, values={"val": epoch / 2}, at=epoch))
    client = mlflow.MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("diswot").experiment_id])
    assert run.info.run_id == run_ids(folder)["mlflow"]
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert run.data.params == {"population": "2"}
    assert run.data.tags["diswot.folder"] == str(folder)
    assert run.data.tags["mlflow.source.name"] == "diswot"
    history = client.get_metric_history(run.info.run_id, "ce_kd_T_4_/val")
    assert [(each.step, each.value) for each in history] == [(1, 0.5), (2, 1.0)]
    stored = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert stored == {"config.toml", "student"}


@pytest.mark.slow
@pytest.mark.processes
def test_wandb_runs_are_written_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    (tmp_path / "config.toml").write_text("population = 2\n")
    with track("wandb", tmp_path, False) as progress:
        progress(Step("score", 1, 2, values={"params": 3}, at=1))
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    assert folder.name.endswith(run_ids(tmp_path)["wandb"])
    assert list(folder.glob("*.wandb"))


def test_wandb_without_a_key_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(OptionError, match="wandb login"), track("wandb", tmp_path):
        pass


@pytest.mark.slow
def test_the_former_flag_writes_tensorboard_events(cli: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "teacher"
    options = ("--epochs", "1", "--train-batch-size", "100", "--out", str(folder))
    done = cli("teacher", "train", "resnet20", *options, "--tensorboard", "--json")
    assert json.loads(done.out)["folder"] == str(folder)
    assert list((folder / "tensorboard").glob("events.*"))
