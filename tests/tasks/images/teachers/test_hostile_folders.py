"""Hugging Face folders with absurd numbers, types or files: an immediate one-line error."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from diswot.errors import DiswotError, TeacherError, first_line
from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import find_teacher
from diswot.teachers._hub import reachable
from tests.vit import save_vit

transformers: Any = pytest.importorskip("transformers", reason="the extra hf is not installed")

SPEC = ImageSpec((3, 32, 32), 5, (0.5, 0.4, 0.45), (0.2, 0.25, 0.22), 255.0)
CONFIG, PROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vit(tmp_path_factory.mktemp("original"), side=32, classes=5, layers=1, mlp=16)


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "teacher"))


def changed(name: str, **values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | values))

    return change


def replaced(name: str, write: Callable[[Path], object]) -> Callable[[Path], None]:
    def replace(folder: Path) -> None:
        (folder / name).unlink()
        write(folder / name)

    return replace


def without_names(folder: Path) -> None:
    content = json.loads((folder / CONFIG).read_text())
    for key in ("id2label", "label2id"):
        content.pop(key, None)
    (folder / CONFIG).write_text(json.dumps(content | {"num_labels": 10**9}))


def with_a_pickled_module(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    torch.save(nn.Linear(2, 2), folder / "pytorch_model.bin")


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "labels": (without_names, "has 1000000000 classes, but the data has 5"),
    "width": (changed(CONFIG, hidden_size=10**9), "hidden_size 1,000,000,000"),
    "much width": (changed(CONFIG, hidden_size=10**6), "but its weight files have"),
    "depth": (changed(CONFIG, num_hidden_layers=10**6), "num_hidden_layers 1,000,000, but at most"),
    "image size": (changed(CONFIG, image_size=2**16, patch_size=1), "parameters, but its weight"),
    "infinite": (changed(CONFIG, intermediate_size=1e30), "but at most 1,000,000 is allowed"),
    "list": (changed(CONFIG, depths=[1] * 10**5), "depths (elements) 100,000"),
    "text for a number": (changed(CONFIG, hidden_size="large"), "cannot be loaded"),
    "no mapping": (replaced(CONFIG, lambda path: path.write_text("[1]")), "cannot be loaded"),
    "nested": (
        replaced(CONFIG, lambda path: path.write_text('{"a":' * 10**5 + "1" + "}" * 10**5)),
        "cannot be loaded",
    ),
    "resized": (changed(PROCESSOR, size={"height": 10**6, "width": 10**6}), "at most 4,096 pixels"),
    "shortest edge": (changed(PROCESSOR, size={"shortest_edge": 10**7}), "at most 4,096 pixels"),
    "not finite": (changed(PROCESSOR, image_mean=[float("nan")] * 3), "finite mean"),
    "deviation of 0": (changed(PROCESSOR, image_std=[0, 0, 0]), "positive std"),
    "pipe for weights": (replaced(WEIGHTS, os.mkfifo), "it is a named pipe, not a file"),
    "pipe for a processor": (replaced(PROCESSOR, os.mkfifo), "it is a named pipe, not a file"),
    "link to nothing": (replaced(WEIGHTS, lambda p: p.symlink_to("nowhere")), "cannot be read"),
    "whole module": (
        with_a_pickled_module,
        "it would have to be executed, and nothing in a file is",
    ),
    "code of its own": (
        changed(CONFIG, model_type="own", auto_map={"AutoConfig": "own.Own"}),
        "it would have to be executed, and nothing in a file is",
    ),
    "no config": (lambda folder: (folder / CONFIG).unlink(), "has no config.json"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_malicious_folder_is_refused_at_once(folder: Path, kind: str) -> None:
    change, words = HOSTILE[kind]
    change(folder)
    start = time.monotonic()
    with pytest.raises(DiswotError) as raised:
        find_teacher(f"hf:{folder}", SPEC)
    message = str(raised.value)
    assert words in message
    assert f"teacher hf:{folder}" in message
    assert "\n" not in message
    assert not any(word in message for word in ("weights_only", "trust_remote_code"))
    assert time.monotonic() - start < 20


def test_linked_weights_are_read(folder: Path, tmp_path: Path) -> None:
    moved = Path(shutil.move(folder / WEIGHTS, tmp_path / "weights"))
    (folder / WEIGHTS).symlink_to(moved)
    assert find_teacher(f"hf:{folder}", SPEC).weights is not None


def test_a_misspelled_folder_suggests_the_closest_match(folder: Path) -> None:
    with pytest.raises(TeacherError, match=r"did you mean .*teacher\?"):
        find_teacher(f"hf:{folder}r", SPEC)


@pytest.mark.parametrize("place", ["", "a b", "x/../y", "one/two/three", "-" * 200])
def test_an_invalid_id_is_not_looked_up(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TeacherError) as raised:
        find_teacher(f"hf:{place}", SPEC)
    assert "cannot be reached" not in str(raised.value)


def test_an_unreachable_server_is_reported_within_seconds() -> None:
    start = time.monotonic()
    # an address reserved for documentation (RFC 5737)
    assert not reachable("https://192.0.2.1")
    assert not reachable("https://no-such-host.invalid")
    assert time.monotonic() - start < 6


@pytest.mark.parametrize(
    "advice",
    [
        "Weights only load failed.\nSet `weights_only=False` if you trust the source.",
        "Object arrays cannot be loaded when allow_pickle=False",
        "The repository needs code, set trust_remote_code=True",
    ],
)
def test_advice_to_trust_remote_code_is_not_repeated(advice: str) -> None:
    expected_message = first_line(RuntimeError(advice))
    assert expected_message == "it would have to be executed, and nothing in a file is"
