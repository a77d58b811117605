"""`diswot resume` continues `diswot distill` and `diswot teacher train`."""

import json
import os
import subprocess
import sys
import time
from contextlib import chdir, suppress
from pathlib import Path

import pytest
import torch

from diswot.cli import main
from diswot.runs.folder import read_json, write_record
from diswot.tasks.images.teachers import TEACHERS
from diswot.training import read_training_manifest
from tests.cli.conftest import only_line
from tests.conftest import CommandLine

ROOT = Path(__file__).parents[2]
FEW = ("--epochs", "2", "--augment", "strong", "--train-batch-size", "60")
DISTILL = (
    *("distill", "--arch", "1-1-1", "--teacher", "resnet20", "--teacher-weights", "teacher.pt"),
    *("--loss", "ce + 0.9*kd", "--force"),
    *FEW,
)
TEACH = ("teacher", "train", "resnet20", *FEW)


@pytest.fixture(name="weights_path", autouse=True)
def fixture_weights_path(tmp_path: Path) -> Path:
    """Write a teacher's weights where the commands look for them."""
    return weights(tmp_path / "teacher.pt", seed=0)


def weights(path: Path, *, seed: int) -> Path:
    torch.manual_seed(seed)
    torch.save(TEACHERS["resnet20"].build(num_classes=10, in_channels=1).state_dict(), path)
    return path


def started(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """Start a command in another process."""
    return subprocess.Popen(
        [sys.executable, "-m", "diswot", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def kill_after_an_epoch(folder: Path, *arguments: str) -> None:
    """Run a command in another process, and kill it once there is a checkpoint."""
    running = started(folder, *arguments)
    deadline = time.monotonic() + 120
    while not (folder / "killed" / "checkpoint.pt").exists():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    running.kill()
    running.communicate()


@pytest.mark.processes
@pytest.mark.parametrize("command", [DISTILL, TEACH], ids=["distill", "teacher train"])
def test_a_killed_training_resumes_to_the_same_weights(
    cli: CommandLine, tmp_path: Path, command: tuple[str, ...]
) -> None:
    whole = cli(*command, "--out", "whole", "--json")
    assert whole.code == 0, whole.err
    kill_after_an_epoch(tmp_path, *command, "--out", "killed")
    done = cli("resume", "killed", "--json")
    assert done.code == 0, done.err
    assert "resumes after epoch 1, step 0" in done.err
    assert json.loads(done.out) == json.loads(whole.out.replace('"whole', '"killed'))
    assert same_weights(tmp_path / "killed", tmp_path / "whole")
    assert "the training in killed has finished" in only_line(cli("resume", "killed"))


def same_weights(one: Path, other: Path) -> bool:
    files = ("best.safetensors", "last.safetensors")
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in files)


@pytest.fixture(name="done", scope="module")
def fixture_done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished distillation."""
    folder = tmp_path_factory.mktemp("done")
    weights(folder / "teacher.pt", seed=0)
    with chdir(folder), suppress(SystemExit):
        main([*DISTILL, "--epochs", "1", "--train-batch-size", "100", "--out", "d"])
    return folder / "d"


@pytest.fixture(name="stopped")
def fixture_stopped(done: Path, tmp_path: Path) -> Path:
    """Return the folder of the same distillation, stopped before its first checkpoint."""
    (tmp_path / "stopped").mkdir()
    manifest = read_json(done / "training.json")
    manifest["options"]["teacher_weights"] = str(tmp_path / "teacher.pt")
    write_record(tmp_path / "stopped" / "training.json", manifest)
    return tmp_path / "stopped"


@pytest.mark.slow
def test_a_changed_or_missing_teacher_is_refused(
    cli: CommandLine, stopped: Path, done: Path, weights_path: Path
) -> None:
    moved = weights_path.rename(weights_path.with_name("moved.pt"))
    assert "teacher.pt" in only_line(cli("resume", stopped))
    weights(weights_path, seed=1)
    refused = cli("resume", stopped)
    assert refused.code == 2
    assert "belongs to another training: its teacher is" in refused.err.splitlines()[-1]
    resumed = cli("resume", stopped, "--teacher-weights", moved)
    assert resumed.code == 0, resumed.err
    assert same_weights(stopped, done)


@pytest.mark.slow
def test_other_options_are_refused_for_a_stopped_training(cli: CommandLine, stopped: Path) -> None:
    refused = cli(*DISTILL, "--learning-rate", "0.01", "--out", stopped)
    assert refused.code == 2
    assert "stopped/training.json belongs to another training" in refused.err.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"teacher": "mine:teacher"}, "pass it again with --teacher"),
        ({"data": "mine:data"}, "pass it again with --data"),
        ({"space": "mine:Space"}, "pass it again with --space"),
        ({"epochs": "many"}, "training.json is damaged"),
        ({"learning_rate": -1}, "training.json is damaged"),
        ({"architectures": [1]}, "training.json is damaged"),
        ({"loss": None}, "training.json is damaged"),
        ({"wings": 2}, "training.json is damaged or of another version"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_code_named_in_a_manifest_is_never_imported(
    cli: CommandLine, stopped: Path, tmp_path: Path, changed: dict[str, object], words: str
) -> None:
    (tmp_path / "mine.py").write_text("open('marker', 'w')\n")
    path = stopped / "training.json"
    content = read_json(path)
    write_record(path, content | {"options": content["options"] | changed})
    assert words in only_line(cli("resume", stopped))
    assert not (tmp_path / "marker").exists()


def test_options_under_their_former_name_are_read(stopped: Path) -> None:
    content = read_json(stopped / "training.json")
    now = read_training_manifest(stopped)
    write_record(stopped / "training.json", content | {"told": content.pop("options")})
    assert read_training_manifest(stopped) == now


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"command": "rm", "options": {}, "of": {}}']
)
def test_a_damaged_manifest_is_a_one_line_error(
    cli: CommandLine, tmp_path: Path, content: str
) -> None:
    (tmp_path / "stopped").mkdir()
    (tmp_path / "stopped" / "training.json").write_text(content)
    assert "training.json is damaged" in only_line(cli("resume", "stopped"))


def test_options_of_searches_are_refused(cli: CommandLine, stopped: Path) -> None:
    line = only_line(cli("resume", stopped, "--generations", "3"))
    assert "--generations applies to searches" in line


@pytest.mark.slow
def test_a_refused_command_leaves_no_folder(cli: CommandLine, tmp_path: Path) -> None:
    refused = cli(*DISTILL, "--loss", "ce + at(student=nowhere)", "--out", "deep/er")
    assert refused.code == 2
    assert "nowhere" in refused.err
    assert not (tmp_path / "deep").exists()
