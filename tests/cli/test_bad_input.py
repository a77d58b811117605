"""A mistake of the user gets one line and status 2, and leaves nothing behind."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

import diswot
from diswot.errors import CheckpointError, DataError
from diswot.search import Candidate, load_run
from search_spaces import CifarResNet
from tests.cli.conftest import QUICK, SPACE
from tests.cli.faulty import Small
from tests.conftest import CommandLine, Outcome

Damage = Callable[[Path], object]


def tree(folder: Path) -> set[Path]:
    """Everything in `folder`, however deep."""
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def only_line(outcome: Outcome, code: int = 2) -> str:
    """Make sure that one line on standard error is all that the user sees; return it."""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("diswot: ")
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    return outcome.err


@pytest.fixture
def refused(cli: CommandLine, tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a command that must be refused, and returns the message."""

    def run(*arguments: str | Path) -> str:
        before = tree(tmp_path)
        line = only_line(cli(*arguments))
        assert tree(tmp_path) == before, "something was left behind"
        return line

    return run


Refused = Callable[..., str]

ONE_EPOCH = ("--epochs", "1", "--teacher-epochs", "1")
COMMANDS = [("search",), ("run",), ("score", "1-1-1"), ("distill", "--arch", "1-1-1")]


# Names


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("option", "given", "meant"),
    [
        ("--teacher", "resnet65", "resnet56"),
        ("--space", "nasbench-201", "nas-bench-201"),
        ("--data", "cifar-100", "cifar100"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    refused: Refused, command: tuple[str, ...], option: str, given: str, meant: str
) -> None:
    line = refused(*command, option, given)
    assert repr(given) in line
    assert repr(meant) in line


@pytest.mark.parametrize("command", COMMANDS[:3], ids=lambda command: command[0])
@pytest.mark.parametrize("scorer", ["semantics", "relation+semantics"])
def test_an_unknown_scorer_is_answered_with_the_nearest(
    refused: Refused, command: tuple[str, ...], scorer: str
) -> None:
    assert "'semantic'" in refused(*command, "--scorer", scorer)


def test_an_unknown_loss_is_answered_with_the_nearest(refused: Refused) -> None:
    assert "'diswot-dagger'" in refused("distill", "--arch", "1-1-1", "--loss", "diswot-daggr")


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (("search", "--engine", "annealing"), "evolution"),
        (("search", "--combination", "product"), "standard"),
        (("score", "1-1-1", "--teacher-state", "tired"), "trained"),
        (("list", "planets"), "teachers"),
    ],
    ids=["engine", "combination", "teacher state", "list"],
)
def test_an_unknown_choice_is_answered_with_those_there_are(
    refused: Refused, arguments: tuple[str, ...], known: str
) -> None:
    assert known in refused(*arguments)


@pytest.mark.parametrize("arguments", [("serach",), ("search", "--teachr", "resnet20")])
def test_an_unknown_command_or_option_is_refused(
    refused: Refused, arguments: tuple[str, ...]
) -> None:
    assert arguments[-2 if len(arguments) > 2 else 0] in refused(*arguments)


@pytest.mark.parametrize("option", ["--teacher", "--space", "--data"])
@pytest.mark.parametrize(
    "reference", ["nomodule:X", "os:nothing", "os:", ":X", "os:path:sep", "no module:X"]
)
def test_a_reference_to_nothing_is_refused(refused: Refused, option: str, reference: str) -> None:
    assert option.removeprefix("--")[:4] in refused("search", option, reference)


@pytest.mark.parametrize("option", ["--teacher", "--space", "--data"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [("def (", "invalid syntax"), ("raise RuntimeError('not\\ntoday')", "not")],
    ids=["syntax error", "raises"],
)
def test_a_module_that_cannot_be_imported_is_refused(
    refused: Refused, tmp_path: Path, option: str, source: str, reason: str
) -> None:
    # In the current folder and not on sys.path: the command line looks there too.
    (tmp_path / "broken_module.py").write_text(source)
    assert reason in refused("search", option, "broken_module:X")


# Numbers


@pytest.mark.parametrize("option", ["--max-params", "--max-macs"])
@pytest.mark.parametrize("number", ["3oo", "-5", "0", "", "0.2", "1e3", "k", "9" * 400])
def test_a_budget_that_is_no_number_is_refused(refused: Refused, option: str, number: str) -> None:
    assert option in refused("search", *QUICK, option, number)


@pytest.mark.parametrize("command", ["search", "run"])
@pytest.mark.parametrize(
    ("option", "smallest"), [("--max-params", "params 50"), ("--max-macs", "macs 4,628")]
)
def test_a_budget_that_nothing_meets_is_answered_with_the_least(
    refused: Refused, command: str, option: str, smallest: str
) -> None:
    line = refused(command, *QUICK, option, "10")
    assert "width=2" in line
    assert smallest in line


@pytest.mark.parametrize(
    ("option", "number"),
    [
        ("--repeats", "0"),
        ("--population", "0"),
        ("--generations", "-1"),
        ("--seed", "-1"),
        ("--batch-size", "1"),
        ("--batch-size", "many"),
    ],
)
def test_a_number_out_of_range_is_refused(refused: Refused, option: str, number: str) -> None:
    assert option in refused("search", *QUICK, option, number)


@pytest.mark.parametrize("option", ["--epochs", "--teacher-epochs"])
def test_a_training_of_no_epochs_is_refused(refused: Refused, option: str) -> None:
    assert option in refused("distill", "--arch", "1-1-1", option, "0")


@pytest.mark.parametrize("command", [("search",), ("run",), ("score", "width=2")])
def test_a_batch_larger_than_the_data_is_refused(
    refused: Refused, command: tuple[str, ...]
) -> None:
    line = refused(*command, "--space", SPACE, "--teacher", "resnet20", "--batch-size", "100000")
    assert "300" in line
    assert "100000" in line


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("run", *QUICK),
        ("score", "width=2", "--space", SPACE),
        ("distill", "--arch", "width=2", "--space", SPACE),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_cannot_compute_is_refused(
    refused: Refused, command: tuple[str, ...], device: str
) -> None:
    assert device in refused(*command, "--device", device)


# Checkpoints


class Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._marker,)


def teacher() -> nn.Module:
    return CifarResNet((3, 3, 3), num_classes=10, in_channels=1)


def write_checkpoint(path: Path, content: Any = None) -> None:
    content = teacher().state_dict() if content is None else content
    if path.suffix == ".safetensors":
        save_file(content, path)
    else:
        torch.save(content, path)


def make_a_folder_of(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


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


def test_a_checkpoint_of_the_old_format_whose_parts_do_not_fit_is_refused(
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
def test_a_checkpoint_that_holds_no_weights_is_refused(
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
def test_nothing_in_a_checkpoint_is_executed(
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
    with suppress(RuntimeError):  # what torch says of a bare pickle, after executing it
        torch.load(path, weights_only=False)
    assert marker.exists(), "the file is not hostile, so the test shows nothing"


@given(data=st.data())
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_however_a_checkpoint_is_damaged_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / f"weights{suffix}"
    write_checkpoint(path, {"weight": torch.ones(2, 2), "bias": torch.ones(2)})
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    with suppress(CheckpointError):
        diswot.load_checkpoint(nn.Linear(2, 2), path)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Change a few bytes, and cut the end off."""
    broken = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        broken[draw(st.integers(0, len(broken) - 1))] = draw(st.integers(0, 255))
    return bytes(broken[: draw(st.integers(0, len(broken)) | st.just(len(broken)))])


# Datasets

Batch = dict[bytes, Any]


def batch(count: int = 40, classes: int = 4) -> Batch:
    images = np.arange(count * 3072, dtype=np.uint64).reshape(count, 3072) % 251
    labels = [i % classes for i in range(count)]
    return {b"data": images.astype(np.uint8), b"fine_labels": labels, b"labels": labels}


def pickled(content: object) -> bytes:
    # Of a later protocol than the official files: Python 3 wraps bytes in a call in that one.
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


def test_the_dataset_that_is_damaged_below_is_sound(tmp_path: Path) -> None:
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
def test_a_dataset_that_is_not_there_is_refused(
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
        ({b"fine_labels": list(range(40))}, "more images per class"),
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
def test_a_batch_of_the_wrong_content_is_refused(
    refused: Refused, tmp_path: Path, change: Batch, reason: str
) -> None:
    write_cifar100(tmp_path / "data", train=batch() | change)
    assert reason in refused(*CIFAR100)


@pytest.mark.parametrize("content", [[1, 2], None, "batch"], ids=["list", "none", "text"])
def test_a_batch_that_is_no_dictionary_is_refused(
    refused: Refused, tmp_path: Path, content: object
) -> None:
    folder = write_cifar100(tmp_path / "data")
    (folder / "train").write_bytes(pickled(content))
    assert str(folder / "train") in refused(*CIFAR100)


def test_all_batches_that_the_first_tells_of_must_be_there(
    refused: Refused, tmp_path: Path
) -> None:
    folder = write_cifar10(tmp_path / "data", b"training batch 1 of 5")
    assert str(folder / "data_batch_2") in refused(*CIFAR10)


@pytest.mark.parametrize(
    "label", [b"training batch 1 of 0", "training batch 1 of 1", 3, b"rubbish"]
)
def test_a_batch_label_that_says_nothing_is_refused(
    refused: Refused, tmp_path: Path, label: object
) -> None:
    folder = write_cifar10(tmp_path / "data", label)
    assert str(folder) in refused(*CIFAR10)


@pytest.mark.parametrize("name", ["train", "test"])
def test_nothing_in_a_dataset_is_executed(refused: Refused, tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    folder = write_cifar100(tmp_path / "data")
    hostile = pickled(batch() | {b"meta": Hostile(marker)})
    (folder / name).write_bytes(hostile)
    assert str(folder / name) in refused(*CIFAR100)
    assert not marker.exists()
    pickle.loads(hostile)
    assert marker.exists(), "the file is not hostile, so the test shows nothing"


@given(data=st.data())
def test_however_a_batch_is_damaged_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("damaged")
    folder = write_cifar100(root)
    images = np.zeros((8, 3072), np.uint8)
    small = pickled({b"fine_labels": [0, 1] * 4, b"data": images})
    # The head and the tail are what the pickle's structure is in; the rest are pixels.
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
        ("images_without_channels", "(8, 8)"),
        ("negative_classes", "classes from 0"),
        ("one_image_per_class", "more images per class"),
        ("unreadable_images", "no image"),
    ],
)
def test_a_dataset_of_ones_own_that_is_unfit_is_refused(
    refused: Refused, name: str, reason: str
) -> None:
    assert reason in refused("search", *QUICK, "--data", f"tests.cli.faulty:{name}")


# Teachers and spaces of one's own


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_teacher_of_other_classes_than_the_data_is_refused(
    refused: Refused, command: tuple[str, ...]
) -> None:
    line = refused(*command, "--teacher", "tests.cli.faulty:seven_classes")
    assert "7 classes" in line
    assert "10" in line


@pytest.mark.parametrize("name", ["no_network", "raising_teacher"])
def test_a_callable_that_makes_no_teacher_is_refused(refused: Refused, name: str) -> None:
    assert name in refused("search", "--teacher", f"tests.cli.faulty:{name}")


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("score", "width=2", "--teacher", "resnet20"),
        ("distill", "--arch", "width=2", "--teacher", "resnet20", *ONE_EPOCH),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("NoSpace", "SearchSpace"),
        ("ConstructorRaises", "no space"),
        ("NoFields", "Choice"),
        ("BuildRaises", "no network"),
        ("BuildsNoModule", "str"),
        ("NoClassifier", "Linear"),
        ("NoFeatureMap", "feature map"),
        ("WrongClasses", "11 classes"),
        ("WrongChannels", "(1, 16, 16)"),
    ],
)
def test_a_space_whose_networks_cannot_be_used_is_refused(
    refused: Refused, command: tuple[str, ...], name: str, reason: str
) -> None:
    assert reason in refused(*command, "--space", f"tests.cli.faulty:{name}")


def test_a_space_that_cannot_be_sampled_is_refused(refused: Refused) -> None:
    assert "no sample" in refused("search", *QUICK, "--space", "tests.cli.faulty:SampleRaises")


@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("s0", "1-1"),
        ("s0", "2-1-1"),
        ("s0", "rubbish"),
        ("s0", "two\nlines"),
        ("s0", ""),
        ("nas-bench-201", "1-1-1"),
        ("nas-bench-201", "|none~0|"),
        ("nas-bench-201", "|none~0|+|none~0|none~1|+|none~0|none~1|fly~2|"),
        ("nas-bench-201", "|none~0|+|none~0|none~x|+|none~0|none~1|none~2|"),
        (SPACE, "width=3"),
        (SPACE, "width=2,width=2"),
        (SPACE, "width"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [("score", "--teacher", "resnet20"), ("distill", "--teacher", "resnet20", "--arch")],
    ids=lambda command: command[0],
)
def test_a_malformed_architecture_is_refused(
    refused: Refused, command: tuple[str, ...], space: str, name: str
) -> None:
    assert "xpected" in refused(command[0], "--space", space, *command[1:], name)


def test_a_space_is_checked_before_a_teacher_is_trained(refused: Refused) -> None:
    line = refused("run", *QUICK, *ONE_EPOCH, "--teacher-state", "trained", "--space", "s1")
    assert "'s0'" in line


# Output folders


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("run", *QUICK),
        ("distill", "--arch", "width=2", "--space", SPACE, "--teacher", "resnet20", *ONE_EPOCH),
    ],
    ids=lambda command: command[0],
)
class TestOutputFolder:
    """Found out at once, before anything is computed."""

    def test_one_that_is_not_empty_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        assert "not empty" in refused(*command, "--out", tmp_path / "out")

    def test_a_file_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").write_text("mine")
        assert "is a file" in refused(*command, "--out", tmp_path / "out")
        assert (tmp_path / "out").read_text() == "mine"

    def test_one_below_a_file_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "file").write_text("mine")
        assert "cannot be written" in refused(*command, "--out", tmp_path / "file" / "out")

    # Where even the administrator, as whom tests may run, cannot write.
    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
    def test_one_that_cannot_be_made_is_refused(
        self, refused: Refused, command: tuple[str, ...]
    ) -> None:
        assert "/proc/out" in refused(*command, "--out", "/proc/out")

    def test_a_name_that_is_too_long_is_refused(
        self, refused: Refused, command: tuple[str, ...]
    ) -> None:
        assert "xxx" in refused(*command, "--out", "x" * 300)

    def test_a_link_to_nowhere_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").symlink_to(tmp_path / "nowhere")
        assert "out" in refused(*command, "--out", tmp_path / "out")


# Run folders


def test_distilling_nothing_is_refused(refused: Refused) -> None:
    assert "--arch" in refused("distill")


@pytest.mark.parametrize("command", ["distill", "export"])
@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_what_is_no_run_folder_is_refused(
    refused: Refused, tmp_path: Path, command: str, kind: str
) -> None:
    path = tmp_path / "folder"
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.write_text("no folder")
    assert str(path) in refused(command, path)


def test_a_run_without_a_trained_student_cannot_be_exported(
    refused: Refused, run_folder: Path
) -> None:
    assert f"diswot distill {run_folder}" in refused("export", run_folder, "--space", SPACE)


def test_what_a_run_folder_names_is_not_imported(refused: Refused, run_folder: Path) -> None:
    edit(run_folder / "manifest.json", lambda manifest: manifest["settings"].update(space=SPACE))
    assert "--space" in refused("distill", run_folder)


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change the JSON object in a file."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


BROKEN_JSON: dict[str, Damage] = {
    "empty": lambda path: path.write_text(""),
    "cut short": lambda path: path.write_text(path.read_text()[:-10]),
    "list": lambda path: path.write_text("[]"),
    "no keys": lambda path: path.write_text("{}"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "too deep": lambda path: path.write_text("[" * 100_000),
    "folder": make_a_folder_of,
}


@pytest.mark.parametrize("file", ["manifest.json", "result.json"])
@pytest.mark.parametrize("damage", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_run_folder_with_a_damaged_file_is_refused(
    refused: Refused, run_folder: Path, file: str, damage: Damage
) -> None:
    damage(run_folder / file)
    assert str(run_folder) in refused("distill", run_folder, "--space", SPACE)


@pytest.mark.parametrize("file", ["manifest.json", "result.json", "journal.jsonl"])
def test_a_run_folder_with_a_missing_file_is_refused(
    refused: Refused, run_folder: Path, file: str
) -> None:
    (run_folder / file).unlink()
    line = refused("distill", run_folder, "--space", SPACE)
    assert str(run_folder) in line
    assert file.split(".")[0] in line or "did not finish" in line


def setting(name: str, value: object) -> Callable[[Any], object]:
    return lambda manifest: manifest["settings"].update({name: value})


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("settings"),
        lambda manifest: manifest.update(settings=[]),
        lambda manifest: manifest["settings"].pop("teacher"),
        lambda manifest: manifest["settings"].pop("seed"),
        setting("teacher", 3),
        setting("teacher", ["resnet20"]),
        setting("teacher_weights", 3),
        setting("data", None),
        lambda manifest: manifest.pop("data"),
        lambda manifest: manifest["data"]["images"].update(shape=[16, 16]),
        lambda manifest: manifest["data"]["images"].update(mean=None),
    ],
    ids=[
        "no settings",
        "settings are a list",
        "no teacher",
        "no seed",
        "teacher is a number",
        "teacher is a list",
        "weights are a number",
        "data is none",
        "no data",
        "shape of two axes",
        "no mean",
    ],
)
def test_a_manifest_with_wrong_values_is_refused(
    refused: Refused, run_folder: Path, change: Callable[[Any], object]
) -> None:
    edit(run_folder / "manifest.json", change)
    refused("distill", run_folder, "--space", SPACE, *ONE_EPOCH)


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", "", "[" * 100_000], ids=["cut", "list", "no keys", "empty", "deep"]
)
def test_a_damaged_journal_is_refused_by_line(
    refused: Refused, run_folder: Path, text: str
) -> None:
    path = run_folder / "journal.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = text
    path.write_text("\n".join(lines) + "\n")
    line = refused("distill", run_folder, "--space", SPACE)
    assert f"line 2 of {path}" in line


@pytest.fixture
def trained(run_folder: Path) -> Path:
    """Return the folder of a training of the winner, to be damaged; its weights are random."""
    folder = run_folder / "distill" / "diswot"
    folder.mkdir(parents=True)
    best = json.loads((run_folder / "result.json").read_text())["best"]["architecture"]
    manifest = json.loads((run_folder / "manifest.json").read_text())
    report = {
        "architecture": best,
        "val_accuracy": 0.5,
        "images": manifest["data"]["images"],
        "metrics": {"loss": "diswot"},
    }
    (folder / "report.json").write_text(json.dumps(report))
    network = Small().build(Small().from_string(best), 10)
    save_file(network.state_dict(), folder / "best.safetensors")
    return folder


@pytest.mark.parametrize("damage", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_a_training_with_a_damaged_report_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, damage: Damage
) -> None:
    damage(trained / "report.json")
    assert str(trained) in refused("export", run_folder, "--space", SPACE, "--no-onnx")


@pytest.mark.parametrize(
    "change",
    [
        lambda report: report.pop("images"),
        lambda report: report.update(images=[]),
        lambda report: report.update(metrics=None),
        lambda report: report.update(val_accuracy="high"),
        lambda report: report["metrics"].pop("loss"),
        lambda report: report["images"].update(shape=[1, 16, 16, 16]),
    ],
    ids=["no images", "images are a list", "no metrics", "words", "no loss", "four axes"],
)
def test_a_training_with_wrong_values_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, change: Callable[[Any], object]
) -> None:
    edit(trained / "report.json", change)
    assert str(trained) in refused("export", run_folder, "--space", SPACE, "--no-onnx")


@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        cut_short,
        lambda path: save_file({"weight": torch.zeros(3)}, path),
    ],
    ids=["missing", "cut short", "of another network"],
)
def test_a_training_with_damaged_weights_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, damage: Damage
) -> None:
    damage(trained / "best.safetensors")
    line = refused("export", run_folder, "--space", SPACE, "--no-onnx")
    assert "best.safetensors" in line


@pytest.mark.parametrize("option", [("--arch", "width=3"), ("--loss", "alone")])
def test_a_student_that_was_not_trained_is_not_exported(
    refused: Refused, run_folder: Path, trained: Path, option: tuple[str, str]
) -> None:
    assert option[1] in refused("export", run_folder, "--space", SPACE, *option)


def test_an_export_over_something_is_refused(
    refused: Refused, run_folder: Path, trained: Path
) -> None:
    line = refused("export", run_folder, "--space", SPACE, "--out", trained)
    assert "not empty" in line


# Runs that fail


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def candidates_of(folder: Path) -> tuple[Candidate, ...]:
    return load_run(folder, space=Small()).candidates


@pytest.mark.parametrize("command", ["search", "run"])
def test_a_run_whose_candidates_all_fail_ends_with_status_1_and_keeps_its_folder(
    cli: CommandLine, tmp_path: Path, command: str
) -> None:
    space = ("--space", "tests.cli.faulty:AllNaN")
    outcome = cli(command, *QUICK, *space, "--out", tmp_path / "out")
    assert outcome.code == 1
    assert outcome.out == ""
    assert "Traceback" not in outcome.err
    assert outcome.err.splitlines()[-1].startswith("diswot: all 4 candidates failed")
    assert {path.name for path in tree(tmp_path / "out")} == {"manifest.json", "journal.jsonl"}
    assert len(journal(tmp_path / "out")) == 4
    assert all("nan" in line["failure"] for line in journal(tmp_path / "out"))


@pytest.mark.parametrize("engine", ["evolution", "random"])
@pytest.mark.parametrize(("space", "reason"), [("OneNaN", "nan"), ("OneRaises", "this one")])
def test_one_candidate_that_fails_does_not_end_the_search(
    cli: CommandLine, tmp_path: Path, space: str, reason: str, engine: str
) -> None:
    chosen = ("--space", f"tests.cli.faulty:{space}", "--engine", engine)
    outcome = cli("search", *QUICK, *chosen, "--out", tmp_path / "out", "--json")
    assert outcome.code == 0, outcome.err
    failures = {line["architecture"]: line["failure"] for line in journal(tmp_path / "out")}
    assert set(failures) == {"width=2", "width=4", "width=6", "width=8"}
    assert [name for name, failure in failures.items() if failure] == ["width=4"]
    assert reason in failures["width=4"]
    assert json.loads(outcome.out)["best"]["architecture"] != "width=4"
    assert [c.name for c in candidates_of(tmp_path / "out") if c.failure] == ["width=4"]


# What is printed where


@pytest.mark.parametrize(
    "arguments",
    [("--debug", "search", "--teacher", "x"), ("search", "--teacher", "x", "--debug")],
    ids=["before the command", "after it"],
)
def test_debug_shows_the_traceback(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert "Traceback (most recent call last)" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("diswot: unknown teacher")


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", *QUICK),
        ("score", "width=2", "width=4", "--space", SPACE, "--teacher", "resnet20"),
        ("score", "width=2", "--space", "tests.cli.faulty:AllNaN", "--teacher", "resnet20"),
        *(("list", kind) for kind in ("teachers", "spaces", "scorers", "losses", "datasets")),
    ],
    ids=lambda arguments: "-".join(arguments[:2]),
)
def test_json_is_one_object_and_nothing_else(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    outcome = cli(*arguments, "--json")
    assert outcome.code == 0, outcome.err
    assert isinstance(json.loads(outcome.out), dict)
    assert outcome.out.count("\n") == 1


def test_the_installed_command_ends_like_the_one_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").write_bytes(pickle.dumps(Hostile(tmp_path / "marker"), protocol=2))
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "diswot"),
            *("search", "--teacher", "resnet20", "--teacher-weights", "weights.pt"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    line = only_line(Outcome(ended.returncode, ended.stdout, ended.stderr))
    assert "weights.pt" in line
    assert not (tmp_path / "marker").exists()
