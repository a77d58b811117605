"""`diswot run --task multi-label` from end to end, predictions of its student, and its errors."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import diswot
from diswot.errors import OptionError
from diswot.tasks import LabelMetrics, find_task, values_of
from diswot.tasks.images.multi_label import MultiLabelData, load_multi_label
from diswot.training import saved_students
from tests.conftest import CommandLine
from tests.forked import run_programs

TASK = ("--task", "multi-label")
SPACE = ("--space", "tests.tasks.landmarks.small:Small")
TINY = (
    *SPACE,
    *("--population", "2", "--generations", "1", "--repeats", "1", "--batch-size", "64"),
    *("--epochs", "1", "--teacher", "tests.tasks.images.multi_label.test_run:teacher", "--force"),
    "--no-onnx",
)


def teacher() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.AvgPool2d(3), nn.Flatten())
    return nn.Sequential(*layers, nn.Linear(32, 10))


@pytest.fixture(scope="module")
def data() -> MultiLabelData:
    """Return a part of the digit sets that is trained and evaluated quickly."""
    whole = load_multi_label("digit-sets")
    places = torch.arange(120)
    train, val, test = (split.take(places) for split in (whole.train, whole.val, whole.test))
    return replace(whole, source=None, train=train, val=val, test=test)


@pytest.mark.processes
@pytest.mark.slow
def test_the_main_job_runs_from_end_to_end(cli: CommandLine, tmp_path: Path) -> None:
    ran = cli("run", *TASK, *TINY, "--out", "run")
    assert ran.code == 0, ran.err
    assert "Test mAP" in ran.out
    students = saved_students(tmp_path / "run")
    assert {student.loss for student in students} == {"bce", "bce-mld"}
    for student in students:
        assert isinstance(student.classes, LabelMetrics)
        assert len(student.classes.rows) == 10
    assert cli("report", "run", "--no-plots").code == 0
    page = (tmp_path / "run" / "report.html").read_text()
    config = json.loads((tmp_path / "run" / "student" / "config.json").read_text())
    for words in (
        "average precision",
        "mAP during distillation",
        f"Test metrics per class of {config['architecture']}, trained with {config['loss']}",
    ):
        assert words in page, words
    card = (tmp_path / "run" / "student" / "README.md").read_text()
    for words in ("any number of 10 labels", "| class | AP | recall |", "infinitesimal jackknife"):
        assert words in card, words
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "photo.png")
    asked = ("predict", "run/student", "photo.png", "--form", "source", "--threshold")
    everything = cli(*asked, "0", "--json")
    (answer,) = json.loads(everything.out)["predictions"]
    assert sorted(answer["labels"]) == list("0123456789")
    assert answer["probabilities"] == sorted(answer["probabilities"], reverse=True)
    assert cli(*asked, "1", "--csv").out.splitlines() == [
        "example,labels,probabilities",
        "photo.png,,",
    ]
    assert cli(*asked, "2").code == 2


@pytest.mark.processes
def test_labels_of_the_script_and_of_predict_agree(data: MultiLabelData, tmp_path: Path) -> None:
    network = teacher()
    done = diswot.export(network, tmp_path / "student", data=data, onnx=False)
    Image.fromarray(data.test.images[3, 0].numpy()).save(tmp_path / "photo.png")
    with torch.inference_mode():
        shares = network(data.batch("test", torch.tensor([3])).inputs[0])[0].sigmoid()
    expected = [str(n) for n in shares.argsort(descending=True).tolist() if shares[n] >= 0.5]
    (answer,) = diswot.predict(done.folder, tmp_path / "photo.png", form="source")
    assert answer["labels"] == expected
    (printed,) = run_programs(
        [(done.folder / "predict.py", tmp_path / "photo.png")], imports="torch,PIL.Image"
    )
    assert [line.split()[0] for line in printed.out.decode().splitlines()] == expected
    with pytest.raises(OptionError, match="from 0 to 1, but got 2"):
        diswot.predict(done.folder, tmp_path / "photo.png", form="source", threshold=2)


@pytest.mark.processes
def test_thresholds_are_refused_for_one_class(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
    done = diswot.export(network, tmp_path / "student", data="digits", onnx=False, pt2=False)
    with pytest.raises(OptionError, match="--threshold does not apply to the task images"):
        diswot.predict(done.folder, tmp_path, form="source", threshold=0.5)


def test_a_network_is_equal_to_itself_and_better_than_noise(data: MultiLabelData) -> None:
    (metric,) = find_task("multi-label").metrics(data.signature)
    logits = (
        6.0 * data.test.labels
        - 3
        + torch.randn(data.test.labels.shape, generator=torch.Generator().manual_seed(0))
    )
    noise = values_of(metric, teacher(), data, "test")
    good, bad = (metric.summarize(each.double(), data, "test") for each in (logits, noise))
    assert good.low > bad.high
    assert metric.is_near_chance(noise, data, "test")
    assert not metric.is_near_chance(logits, data, "test")
    difference = metric.difference(logits, noise, data, "test")
    assert difference.value == pytest.approx(good.value - bad.value)
    assert difference.low > 0
    own = metric.difference(logits, logits, data, "test")
    assert (own.value, own.low, own.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--data", "digit-set"), "did you mean 'digit-sets'?"),
        (("--data", "absent.csv"), "there is no file absent.csv"),
        (("--class-weights", "balanced"), "leave --class-weights and --sampling out"),
        (("--sampling", "balanced"), "leave --class-weights and --sampling out"),
        (("--image-size", "32"), "images of one size"),
        (("--stream-above", "1"), "--stream-above does not apply to the task multi-label"),
    ],
)
def test_options_for_one_class_are_refused(
    check_refused: Callable[..., None], options: tuple[str, str], words: str
) -> None:
    check_refused(*TASK, *TINY, *options, words=words)


def test_losses_and_scores_that_need_one_class_are_refused(cli: CommandLine) -> None:
    trained = cli("distill", *TASK, *SPACE, "--arch", "width=4", "--loss", "0.1*ce + 0.9*kd")
    scored = cli("score", *TASK, *SPACE, "width=4", "--scorer", "fisher")
    assert (trained.code, scored.code) == (2, 2)
    assert "reads logits and labels, but the task multi-label gives" in trained.err
    assert "reads labels, which networks of the task multi-label do not provide" in scored.err
