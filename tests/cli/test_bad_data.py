"""Datasets that are missing, damaged or invalid: a one-line error, and no code is executed."""

import pickle
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diswot
from diswot.errors import DataError
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

Batch = dict[bytes, Any]


def batch(count: int = 40, classes: int = 4) -> Batch:
    images = np.arange(count * 3072, dtype=np.uint64).reshape(count, 3072) % 251
    labels = [i % classes for i in range(count)]
    return {b"data": images.astype(np.uint8), b"fine_labels": labels, b"labels": labels}


def pickled(content: object) -> bytes:
    # A later protocol than in the official files, where Python 3 wraps bytes in a call.
    return pickle.dumps(content, protocol=3)


def write_cifar100(root: Path, train: object = None, test: object = None) -> Path:
    folder = root / "cifar-100-python"
    folder.mkdir()
    for name, content in (("train", train), ("test", test)):
        written = batch() if content is None else content
        (folder / name).write_bytes(pickled(written))
    return folder


def write_cifar10(root: Path, batch_label: object) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    first = batch() | {b"batch_label": batch_label}
    (folder / "data_batch_1").write_bytes(pickled(first))
    (folder / "test_batch").write_bytes(pickled(batch()))
    return folder


def test_the_undamaged_dataset_is_read(tmp_path: Path) -> None:
    write_cifar100(tmp_path)
    assert len(diswot.load_data("cifar100", root=tmp_path).test) == 40


def test_datasets_of_the_official_format_are_read(shared_data: Path) -> None:
    data = diswot.load_data("cifar10", root=shared_data)
    assert (len(data.train), len(data.val), len(data.test)) == (1800, 200, 1000)


CIFAR100 = ("search", *QUICK, "--data", "cifar100")
CIFAR10 = ("search", *QUICK, "--data", "cifar10")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "folder"), [("cifar10", "cifar-10-batches-py"), ("cifar100", "cifar-100-python")]
)
def test_a_missing_dataset_is_refused(
    refused: Refused, command: tuple[str, ...], name: str, folder: str
) -> None:
    assert folder in refused(*command, "--data", name)


@pytest.mark.parametrize("name", ["train", "test"])
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        cut_short,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no batch at all"),
        make_a_folder_of,
    ],
    ids=["missing", "cut short", "empty", "text", "folder"],
)
def test_a_damaged_batch_is_refused(
    refused: Refused, tmp_path: Path, name: str, damage: Damage
) -> None:
    path = write_cifar100(tmp_path / "data") / name
    damage(path)
    assert str(path) in refused(*CIFAR100)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({b"data": np.zeros((40, 1024), np.uint8)}, "(40, 1024)"),
        ({b"data": np.zeros((40, 3, 32, 32), np.uint8)}, "no array of images"),
        ({b"data": np.zeros((40, 3072), np.float32)}, "no array of images"),
        ({b"data": np.zeros((0, 3072), np.uint8), b"fine_labels": []}, "(0, 3072)"),
        ({b"data": None}, "no array of images"),
        ({b"fine_labels": [0] * 39}, "(39,)"),
        ({b"fine_labels": [[0]] * 40}, "(40, 1)"),
        ({b"fine_labels": None}, "labels"),
        ({b"fine_labels": ["one"] * 40}, "labels"),
        ({b"fine_labels": [100] * 40}, "from 100 to 100"),
        ({b"fine_labels": [-1] * 40}, "from -1 to -1"),
        ({b"fine_labels": [2**70] * 40}, "labels"),
        ({b"fine_labels": list(range(40))}, "at least three per class"),
    ],
    ids=[
        "small images",
        "images of four axes",
        "float images",
        "no images",
        "no array",
        "too few labels",
        "nested labels",
        "no labels",
        "words as labels",
        "label too large",
        "label below zero",
        "label beyond 64 bits",
        "one image per class",
    ],
)
def test_a_batch_with_wrong_content_is_refused(
    refused: Refused, tmp_path: Path, change: Batch, reason: str
) -> None:
    write_cifar100(tmp_path / "data", train=batch() | change)
    assert reason in refused(*CIFAR100)


@pytest.mark.parametrize("content", [[1, 2], None, "batch"], ids=["list", "none", "text"])
def test_a_batch_that_is_not_a_dictionary_is_refused(
    refused: Refused, tmp_path: Path, content: object
) -> None:
    folder = write_cifar100(tmp_path / "data")
    (folder / "train").write_bytes(pickled(content))
    assert str(folder / "train") in refused(*CIFAR100)


def test_a_missing_training_batch_is_refused(refused: Refused, tmp_path: Path) -> None:
    folder = write_cifar10(tmp_path / "data", b"training batch 1 of 5")
    assert str(folder / "data_batch_2") in refused(*CIFAR10)


@pytest.mark.parametrize(
    "label", [b"training batch 1 of 0", "training batch 1 of 1", 3, b"rubbish"]
)
def test_an_invalid_batch_label_is_refused(refused: Refused, tmp_path: Path, label: object) -> None:
    folder = write_cifar10(tmp_path / "data", label)
    assert str(folder) in refused(*CIFAR10)


@pytest.mark.parametrize("name", ["train", "test"])
def test_code_in_a_dataset_is_not_executed(refused: Refused, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    folder = write_cifar100(tmp_path / "data")
    hostile = pickled(batch() | {b"meta": Hostile(marker)})
    (folder / name).write_bytes(hostile)
    assert str(folder / name) in refused(*CIFAR100)
    assert not marker.exists()
    pickle.loads(hostile)
    assert marker.exists(), "loading the file executed nothing, so the test proves nothing"


@given(data=st.data())
def test_any_damaged_batch_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("damaged")
    folder = write_cifar100(root)
    images = np.zeros((8, 3072), np.uint8)
    small = pickled({b"fine_labels": [0, 1] * 4, b"data": images})
    # The structure of the pickle is in its head and tail; the rest are pixels.
    head, tail = data.draw(damaged(small[:200])), data.draw(damaged(small[-40:]))
    (folder / "train").write_bytes(head + small[200:-40] + tail)
    with suppress(DataError):
        diswot.load_data("cifar100", root=root)


@pytest.mark.parametrize("data", ["digits", "cifar100"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_data_root_that_does_not_exist_is_refused(
    refused: Refused, tmp_path: Path, command: tuple[str, ...], data: str
) -> None:
    root = tmp_path / "nowhere"
    assert str(root) in refused(*command, "--data", data, "--data-root", root)


def test_a_data_root_that_is_a_file_is_refused(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "root").write_text("no folder")
    assert "root" in refused("search", "--data-root", tmp_path / "root")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raising_data", "no data"),
        ("no_dataset", "int"),
        ("empty_data", "no item"),
        ("images_of_two_shapes", "(1, 8, 8)"),
        ("vectors", "(8,)"),
        ("negative_classes", "classes from 0"),
        ("one_image_per_class", "at least three per class"),
        ("unreadable_images", "no image"),
    ],
)
def test_an_invalid_user_dataset_is_refused(refused: Refused, name: str, reason: str) -> None:
    assert reason in refused("search", *QUICK, "--data", f"tests.cli.faulty:{name}")
