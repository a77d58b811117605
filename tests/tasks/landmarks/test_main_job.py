"""`diswot run --task landmarks` from end to end, and its errors."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from diswot.training import saved_students
from tests.conftest import CommandLine

TASK = ("--task", "landmarks")
SPACE = ("--space", "tests.tasks.landmarks.small:Small")
TINY = (
    *SPACE,
    *("--population", "2", "--generations", "1", "--repeats", "1", "--batch-size", "8"),
    *("--epochs", "1", "--teacher-epochs", "1", "--force", "--no-onnx"),
)


@pytest.mark.processes
def test_the_main_job_runs_from_end_to_end(cli: CommandLine, tmp_path: Path) -> None:
    ran = cli("run", *TASK, *TINY, "--out", "run")
    assert ran.code == 0, ran.err
    assert "Test NME in % of the image width (lower is better)" in ran.out
    kept = sorted(path.name for path in (tmp_path / "data" / "teachers").glob("*.safetensors"))
    assert [name.rpartition("-")[0] for name in kept] == [
        "mobile-medium-digit-outlines",
        "mobile-medium-digit-outlines-smoothed",
    ]
    students = saved_students(tmp_path / "run")
    assert {student.loss for student in students} == {"l2", "kd-loss"}
    values = [student.val.value for student in students]
    assert values == sorted(values)  # best on the validation split first: lower is better
    config = json.loads((tmp_path / "run" / "student" / "config.json").read_text())
    assert (config["task"], config["points"]) == ("landmarks", 16)

    again = cli("resume", "run", *SPACE)
    assert again.code == 0, again.err
    trained = cli("distill", "run", *SPACE, "--epochs", "1", "--teacher-epochs", "1", "--force")
    assert trained.code == 2  # finished trainings are not repeated
    assert "kd-loss is not empty" in trained.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--data", "digits"), "unknown dataset of landmarks 'digits'"),
        (("--teacher", "resnet56"), "unknown teacher 'resnet56'"),
        (("--teacher-classes", "data"), "--teacher-classes does not apply to the task landmarks"),
        (("--normalizer", "ear"), "'ear'"),
        (("--normalizer", "inter-ocular"), "Expected 68 landmarks"),
        (("--mixup", "0.2"), "landmarks have no classes for mixup 0.2"),
        (("--image-size", "32"), "images of one size"),
    ],
)
def test_options_that_landmarks_do_not_support_are_refused(
    check_refused: Callable[..., None], options: tuple[str, str], words: str
) -> None:
    check_refused(*TASK, *TINY, *options, words=words)


@pytest.mark.parametrize("loss", ["diswot", "ce + 0.9*kd(T=4)"])
def test_classification_losses_are_refused(cli: CommandLine, loss: str) -> None:
    architecture = ("--arch", "width=4", *SPACE)
    refused = cli("distill", *TASK, *architecture, "--loss", loss, "--out", "student")
    assert refused.code == 2
    assert "reads logits and labels, but the task landmarks gives" in refused.err
