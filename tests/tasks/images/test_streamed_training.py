"""Trainings on streamed images: interrupted, killed, and in constant memory."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from diswot.errors import DataError
from diswot.progress import Step
from diswot.tasks.images import ImageData
from tests.tasks.images.streaming import RECIPE, streamed, training, write_photos

ROOT = Path(__file__).parents[3]


@pytest.mark.processes
@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_damaged_during_training_is_a_one_line_error(tmp_path: Path, workers: int) -> None:
    data = replace(streamed(write_photos(tmp_path / "photos", 8), tmp_path), loader_workers=workers)
    broken = data.originals["train"].paths[5]
    broken.write_bytes(broken.read_bytes()[:100])
    with pytest.raises(DataError) as caught:
        training(data)
    message = str(caught.value)
    assert message.startswith(f"the photo {broken} can no longer be read (")
    assert message.endswith("): restore it, or remove it and start again")
    assert "\n" not in message
    assert multiprocessing.active_children() == []
    with pytest.raises(DataError, match="can no longer be read"):
        data.batch("train", torch.tensor([5]))


@pytest.mark.processes
def test_a_stopped_training_resumes_to_the_same_weights(data: ImageData, tmp_path: Path) -> None:
    """Stopped in the second epoch, at a checkpoint, by a foreign exception."""
    data = replace(data, loader_workers=1)
    training(data, tmp_path / "whole")
    steps = RECIPE.steps_per_epoch(len(data.train))

    def stop(step: Step) -> None:
        if step.done == steps + 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training(data, tmp_path / "stopped", progress=stop)
    state = torch.load(tmp_path / "stopped" / "checkpoint.pt", weights_only=True)["state"]
    assert state["epoch"] == 1
    training(replace(data, loader_workers=2), tmp_path / "stopped")
    for name in ("best", "last"):
        whole, stopped = (tmp_path / each / f"{name}.safetensors" for each in ("whole", "stopped"))
        assert whole.read_bytes() == stopped.read_bytes()


def descendants(process: int) -> list[int]:
    """Return the running descendants of a process (Linux only)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text().rpartition(") ")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(stat.parent.name))
    return found


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_after_a_training(
    photos: Path, streamed_root: Path, tmp_path: Path, data: ImageData, stop: signal.Signals
) -> None:
    """The training is stopped within an epoch, as by Ctrl-C, and resumes from there."""
    assert data.digest
    command = [
        sys.executable,
        "-m",
        "tests.tasks.images.streaming",
        photos,
        streamed_root,
        tmp_path,
        "2",
    ]
    with subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            workers = descendants(running.pid)
            in_second_epoch = int(line.split()[-1]) > RECIPE.steps_per_epoch(len(data.train)) + 1
            if in_second_epoch and len(workers) == 2:
                break
        assert len(workers) == 2
        if stop is signal.SIGINT:
            os.killpg(running.pid, stop)  # as a terminal does
        else:
            running.kill()
        _, errors = running.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert errors.count("Traceback") == (stop is signal.SIGINT)  # only the process of the training
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]["epoch"] > 0


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux counts it")
def test_memory_does_not_grow_with_the_photos(tmp_path: Path) -> None:
    """The 560 additional photos would take 110 MB when decoded."""
    found = []
    for count in ("140", "420"):
        (tmp_path / count).mkdir()
        command = [sys.executable, "-m", "tests.tasks.images.memory", tmp_path / count, count, "0"]
        done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, check=True)
        found.append(int(done.stdout))
    assert found[1] - found[0] < 40e6
