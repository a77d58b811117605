"""`diswot teacher train` writes a checkpoint for `--teacher-weights`."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from diswot.errors import NetworkError, RunFolderError
from diswot.tasks.images import load_data
from diswot.tasks.images.teachers import AsTrained
from diswot.training import Training, train_teacher
from tests.cli.conftest import only_line
from tests.conftest import CommandLine

FEW = ("--epochs", "1", "--train-batch-size", "64")


@pytest.mark.slow
def test_the_trained_weights_can_be_used_as_teacher_weights(
    cli: CommandLine, tmp_path: Path
) -> None:
    done = cli("teacher", "train", "mobilenet-v2", *FEW, "--out", "teacher", "--json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert record["teacher"] == "mobilenet-v2"
    assert 0 <= record["test_accuracy"] <= 1
    assert json.loads((tmp_path / "teacher" / "report.json").read_text())["best_epoch"] == 1
    scored = cli(
        *("score", "1-1-1", "--teacher", "mobilenet-v2", "--teacher-weights", record["weights"]),
        *("--teacher-state", "trained", "--repeats", "1", "--batch-size", "8"),
    )
    assert scored.code == 0, scored.err
    line = only_line(
        cli("score", "1-1-1", "--teacher", "vgg8", "--teacher-weights", record["weights"])
    )
    assert "is of another network: expected stages.0.layers.0.weight" in line


@pytest.mark.slow
def test_the_command_writes_below_runs_and_names_the_next_step(cli: CommandLine) -> None:
    done = cli("teacher", "train", "mobilenet-v2", *FEW)
    weights = "runs/teacher-mobilenet-v2-1/best.safetensors"
    assert f"Next: diswot run --teacher mobilenet-v2 --teacher-weights {weights}" in done.out


def trained(folder: Path, network: nn.Module | str = "mobilenet-v2", seed: int = 0) -> Training:
    return train_teacher(network, out=folder, epochs=1, train_batch_size=64, seed=seed)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_teacher(tmp_path: Path) -> None:
    for number, seed in enumerate((0, 0, 1)):
        trained(tmp_path / str(number), seed=seed)
    first, again, other = (load_file(tmp_path / str(n) / "best.safetensors") for n in range(3))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def small(classes: int = 10) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes)
    )


def test_a_network_with_weights_is_fine_tuned_in_a_copy(tmp_path: Path) -> None:
    network = small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trained(tmp_path / "teacher", network)
    after = load_file(tmp_path / "teacher" / "best.safetensors")
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)
    assert not all(torch.equal(after[name], before[name]) for name in before)
    # the first steps of SGD stay close to the initial weights
    assert all((after[name] - before[name]).abs().max() < 1 for name in before)


def test_a_teacher_that_does_not_fit_the_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="has 7 classes, but the data has 10"):
        trained(tmp_path / "teacher", small(classes=7))
    assert not (tmp_path / "teacher").exists()


def test_a_network_with_its_own_view_is_trained_in_it(tmp_path: Path) -> None:
    view = AsTrained(small(), load_data("digits").spec, mean=(0.5,), std=(0.5,), size=8)
    trained(tmp_path / "teacher", view)
    assert set(load_file(tmp_path / "teacher" / "best.safetensors")) == set(view.state_dict())


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunFolderError):
        trained(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("wrn-40-3",), "wrn-40-2"),
        (("mobilenet-v2", "--data", "planets"), "planets"),
        (("mobilenet-v2", "--epochs", "0"), "--epochs"),
        (("mobilenet-v2", "--teacher-weights", "none.pt"), "none.pt"),
        (("mobilenet-v2", "--teacher-epochs", "3"), "--teacher-epochs"),
        (("hf:./nowhere",), "there is no folder"),
    ],
)
def test_an_invalid_command_is_one_line_and_leaves_no_files(
    cli: CommandLine, tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    assert word in only_line(cli("teacher", "train", *arguments, "--out", "teacher"))
    assert not (tmp_path / "teacher").exists()
