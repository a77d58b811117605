"""Contradicting options are refused before data is read or a teacher is built."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import diswot
from diswot.errors import DiswotError
from tests.cli.conftest import Refused
from tests.edits import edit

NEVER = "nowhere/at-all"
"""A folder of images that is not there: reading it would be the message."""

GUARDED = ("search", "run", "score 3-3-3", "distill --arch 3-3-3", "teacher train resnet20")

# The commands, their options, and what the line must say.
CONTRADICTIONS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "epochs of a checkpoint": (
        ("run", "distill --arch 3-3-3"),
        "--teacher resnet20 --teacher-weights own.pt --teacher-epochs 3",
        "--teacher-epochs 3",
    ),
    "epochs of own code": (
        ("run", "distill --arch 3-3-3"),
        "--teacher tests.cli.test_contradictions:network --teacher-epochs 3",
        "comes with weights",
    ),
    "shortlist of few": (("run",), "--population 4 --generations 1 --shortlist 9", "8 candidates"),
    "sides of digits": (("search", "run"), "--data digits --image-size 24", "16×16"),
    "sides of cifar": (GUARDED[2:], "--data cifar10 --image-size 16", "32×32"),
    "classes of no weights": (GUARDED, "--teacher-classes natural", "has no weights yet"),
    "checkpoint not there": (GUARDED, "--teacher-weights no.pt", "no.pt: check the path"),
    "checkpoint elsewhere": (GUARDED, "--teacher-weights http://x/y.pt", "is a URL"),
    "trained without weights": (
        ("search", "score 3-3-3"),
        "--teacher-state trained",
        "no trained weights",
    ),
    "teacher unknown": (GUARDED[:-1], "--teacher resnet21", "unknown teacher 'resnet21'"),
    "teacher of no module": (GUARDED[:-1], "--teacher no_module:net", "no_module"),
    "teacher of no folder": (GUARDED[:-1], "--teacher hf:./none", "no folder none"),
    "space unknown": (GUARDED[:-1], "--space s00", "'s0'"),
    "space of no module": (GUARDED[:-1], "--space no_module:Space", "no_module"),
    "scorer unknown": (GUARDED[:3], "--scorer nwoot", "'nwot'"),
    "loss unknown": (("distill --arch 3-3-3",), "--loss kdd", "kdd"),
    "device unknown": (GUARDED, "--device abacus", "abacus"),
    "half precision": (("run", *GUARDED[3:]), "--precision fp16 --device cpu", "take bf16"),
    "long warm-up": (("run", *GUARDED[3:]), "--epochs 5 --warmup-epochs 5", "warmup epochs"),
    "warm-up of the default": (("run", *GUARDED[3:]), "--warmup-epochs 20", "warmup epochs"),
    "parts of a batch": (
        ("run", *GUARDED[3:]),
        "--train-batch-size 64 --gradient-accumulation 3",
        "divided by gradient accumulation 3",
    ),
    "out is a file": (("search", "run", *GUARDED[3:]), "--out own.pt", "own.pt is a file"),
    "out is not empty": (("search", "run", *GUARDED[3:]), "--out full", "full is not empty"),
}


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path) -> None:
    (tmp_path / "own.pt").write_text("weights")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")


@pytest.mark.parametrize(
    ("command", "options", "expected_message"),
    [
        pytest.param(command, options, expected_message, id=f"{name}-{command.split()[0]}")
        for name, (commands, options, expected_message) in CONTRADICTIONS.items()
        for command in commands
    ],
)
def test_commands_refuse_contradictions_before_reading_data(
    refused: Refused, command: str, options: str, expected_message: str
) -> None:
    line = refused(*command.split(), "--data", NEVER, *options.split())
    assert expected_message in line
    assert NEVER not in line


def network() -> nn.Module:
    """Never called: the refusal comes first."""
    raise AssertionError("the teacher was made")


class Unread:
    """A dataset that is never read."""

    def __len__(self) -> int:
        raise AssertionError("the data were read")

    def __getitem__(self, place: int) -> Any:
        raise AssertionError("the data were read")


Call = Callable[..., Any]


def run(**options: Any) -> Any:
    return diswot.run(options.pop("teacher", "resnet20"), data=Unread(), **options)


def search(**options: Any) -> Any:
    return diswot.search(options.pop("teacher", "resnet20"), data=Unread(), **options)


def score(**options: Any) -> Any:
    return diswot.score(["3-3-3"], options.pop("teacher", "resnet20"), data=Unread(), **options)


def distill(**options: Any) -> Any:
    teacher = options.pop("teacher", "resnet20")
    return diswot.distill(nn.Linear(1, 1), teacher, data=Unread(), **options)


def train_teacher(**options: Any) -> Any:
    return diswot.train_teacher(options.pop("teacher", "resnet20"), data=Unread(), **options)


TRAINED = {"teacher": nn.Linear(1, 1), "teacher_epochs": 3}


@pytest.mark.parametrize(
    ("call", "options", "expected_message"),
    [
        (run, {"out": "r", **TRAINED}, "Linear comes with weights"),
        (distill, TRAINED, "Linear comes with weights"),
        (train_teacher, {"out": "r", "teacher_epochs": 3}, "use epochs"),
        (run, {"out": "r", "population": 2, "generations": 0, "shortlist": 3}, "2 candidates"),
        (run, {"out": "r", "teacher_classes": "text"}, "has no weights yet"),
        (distill, {"teacher_classes": "text"}, "has no weights yet"),
        (distill, {"teacher": None, "loss": "kd"}, "needs a teacher, but got none"),
        (distill, {"loss": "kdd"}, "kdd"),
        (distill, {"teacher": "resnet21"}, "unknown teacher 'resnet21'"),
        (distill, {"out": "full"}, "full is not empty"),
        (train_teacher, {"out": "full"}, "full is not empty"),
        (train_teacher, {"out": "r", "teacher": "resnet21"}, "unknown teacher 'resnet21'"),
        (search, {"out": "full"}, "full is not empty"),
        (search, {"latency_column": "ms"}, "--latency-column"),
        (search, {"objectives": ("score", "params")}, "--engine nsga2"),
        (search, {"workers": 2, "cluster": "tcp://127.0.0.1:1"}, "exclude each other"),
        (search, {"space": "s00"}, "'s0'"),
        (search, {"teacher_state": "trained"}, "no trained weights"),
        (score, {"scorer": "nwoot"}, "'nwot'"),
        (score, {"teacher": 3}, "Expected a teacher's name"),
        (score, {"teacher_weights": "no.pt"}, "no checkpoint"),
        (run, {"out": "r", "precision": "fp16", "device": "cpu"}, "take bf16"),
        (run, {"out": "own.pt"}, "own.pt is a file"),
    ],
)
def test_functions_refuse_contradictions_before_reading_data(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    options: dict[str, Any],
    expected_message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(DiswotError) as raised:
        call(**options)
    assert expected_message in str(raised.value)
    assert set(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("options", "expected_message"),
    [
        ("--scorer nwoot", "'nwot'"),
        ("--teacher resnet21", "unknown teacher 'resnet21'"),
        ("--teacher-weights no.pt", "there is no checkpoint"),
        ("--generations 0", "generations already"),
        ("--device abacus", "abacus"),
        ("--space s00", "'s0'"),
    ],
)
@pytest.mark.parametrize("of_a_job", [False, True], ids=["search", "job"])
def test_resume_refuses_contradictions_before_reading_data(
    refused: Refused, run_folder: Path, options: str, expected_message: str, *, of_a_job: bool
) -> None:
    (run_folder / ".lock").touch()

    def change(manifest: Any) -> None:
        manifest["settings"]["space"] = "s0"
        if of_a_job:
            manifest["job"] = JOB

    edit(run_folder / "manifest.json", change)
    line = refused("resume", run_folder, "--data", NEVER, *options.split())
    assert expected_message in line
    assert NEVER not in line


JOB = dict.fromkeys(
    (
        *("epochs", "train_batch_size", "optimizer", "learning_rate", "weight_decay", "schedule"),
        *("warmup_epochs", "ema", "label_smoothing", "mixup", "cutmix", "augment", "precision"),
        *("max_grad_norm", "gradient_accumulation", "teacher_epochs", "flips", "onnx"),
    )
) | {"compare": True, "shortlist": 1, "force": False}
"""A run with its defaults, as its manifest has it."""
