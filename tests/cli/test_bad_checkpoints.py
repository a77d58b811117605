"""Checkpoints that are damaged or do not fit: a one-line error, and no code is executed."""

import pickle
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

import diswot
from diswot.errors import CheckpointError
from search_spaces import CifarResNet
from tests.cli.conftest import (
    COMMANDS,
    QUICK,
    Damage,
    Hostile,
    Refused,
    cut_short,
    damaged,
    make_a_folder_of,
)


def teacher() -> nn.Module:
    return CifarResNet((3, 3, 3), num_classes=10, in_channels=1)


def write_checkpoint(path: Path, content: Any = None) -> None:
    content = teacher().state_dict() if content is None else content
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_missing_checkpoint_is_refused(
    refused: Refused, tmp_path: Path, command: tuple[str, ...], suffix: str
) -> None:
    path = tmp_path / f"weights{suffix}"
    assert str(path) in refused(*command, "--teacher", "resnet20", "--teacher-weights", path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize(
    "damage",
    [
        cut_short,
        lambda path: path.write_bytes(path.read_bytes()[:40]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no checkpoint at all"),
        lambda path: path.write_bytes(b"Q" + path.read_bytes()[1:]),
        make_a_folder_of,
    ],
    ids=["tail is missing", "head alone", "empty", "text", "first byte", "folder"],
)
def test_a_damaged_checkpoint_is_refused(
    refused: Refused, tmp_path: Path, suffix: str, damage: Damage
) -> None:
    path = tmp_path / f"weights{suffix}"
    write_checkpoint(path)
    damage(path)
    line = refused("search", *QUICK, "--teacher-weights", path)
    assert str(path) in line


def test_a_legacy_checkpoint_with_mismatched_keys_is_refused(
    refused: Refused, tmp_path: Path
) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"weight": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    key = re.findall(rb"\d{10,}", content)[-1]
    path.write_bytes(content.replace(key, b"1" * len(key), 1))
    assert str(path) in refused("search", *QUICK, "--teacher-weights", path)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda state: state | {"classifier.bias": torch.zeros(7)}, "(7,)"),
        (lambda state: state | {"another.bias": torch.zeros(7)}, "another.bias"),
        (lambda state: {"classifier.bias": state["classifier.bias"]}, "nothing"),
        (lambda state: {}, "nothing"),
    ],
    ids=["wrong shape", "one too many", "incomplete", "no tensor"],
)
def test_a_checkpoint_of_another_network_is_refused(
    refused: Refused,
    tmp_path: Path,
    suffix: str,
    change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]],
    word: str,
) -> None:
    path = tmp_path / f"weights{suffix}"
    write_checkpoint(path, change(teacher().state_dict()))
    line = refused("search", *QUICK, "--teacher-weights", path)
    assert str(path) in line
    assert word in line


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), 3, [1, 2], {"epoch": 3}, {"model": {"a": "b"}}, {1: torch.zeros(3)}],
    ids=["tensor", "number", "list", "no tensors", "nested text", "numbered"],
)
def test_a_checkpoint_without_weights_is_refused(
    refused: Refused, tmp_path: Path, content: object
) -> None:
    path = tmp_path / "weights.pt"
    write_checkpoint(path, content)
    assert str(path) in refused("search", *QUICK, "--teacher-weights", path)


def zipped(content: object, path: Path) -> None:
    torch.save(content, path)


def bare(content: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("write", [zipped, bare])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_code_in_a_checkpoint_is_not_executed(
    refused: Refused,
    tmp_path: Path,
    command: tuple[str, ...],
    write: Callable[[object, Path], None],
) -> None:
    marker, path = tmp_path / "marker", tmp_path / "weights.pt"
    write({"hostile": Hostile(marker)}, path)
    line = refused(*command, "--teacher", "resnet20", "--teacher-weights", path)
    assert str(path) in line
    assert not marker.exists()
    with suppress(RuntimeError):  # the error of torch for a bare pickle, after executing it
        torch.load(path, weights_only=False)
    assert marker.exists(), "loading the file executed nothing, so the test proves nothing"


@pytest.mark.slow
@given(data=st.data())
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_any_damaged_checkpoint_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"weights{suffix}"
    write_checkpoint(path, {"weight": torch.ones(2, 2), "bias": torch.ones(2)})
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    with suppress(CheckpointError):
        diswot.load_checkpoint(nn.Linear(2, 2), path)
