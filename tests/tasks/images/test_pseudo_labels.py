"""Images without labels, whose classes are the predictions of a teacher."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from diswot.errors import DataError, OptionError, TeacherError
from diswot.methods import find_method
from diswot.tasks import find_task, values_of
from diswot.tasks.images import (
    PseudoLabeledData,
    load_data,
    pseudo_labeled,
    with_pool,
    write_pseudo_labeled,
)
from tests.conftest import CommandLine

CLASSES = ("bright", "dark", "other")


def network(width: int = 6) -> nn.Sequential:
    torch.manual_seed(width)
    return nn.Sequential(
        nn.Conv2d(1, width, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, 3),
    )


@pytest.fixture(scope="module")
def data() -> PseudoLabeledData:
    return pseudo_labeled("mixed-digits", network(), classes=CLASSES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng, photos = np.random.default_rng(0), tmp_path / "photos" / "any"
    photos.mkdir(parents=True)
    for number in range(24):
        Image.fromarray(rng.integers(0, 256, (10, 12), dtype=np.uint8)).save(
            photos / f"{number}.png"
        )
    return tmp_path / "photos"


def test_classes_are_the_predictions_of_the_teacher(data: PseudoLabeledData) -> None:
    teacher = network().eval()
    for split in ("train", "val", "test"):
        batch = data.batch(split, torch.arange(data.size(split)))
        with torch.no_grad():
            assert torch.equal(batch.labels, teacher(*batch.inputs).argmax(1))  # type: ignore[arg-type]
    parts = [image.numpy().tobytes() for part in (data.train, data.val) for image in part.images]
    assert not set(parts) & {image.numpy().tobytes() for image in data.test.images}
    assert (len(data.train), len(data.val), len(data.test)) == (1120, 160, 320)


def test_students_are_measured_by_their_agreement(data: PseudoLabeledData) -> None:
    (metric,), student = data.metrics, network(5).eval()
    (images,) = data.batch("test", torch.arange(320)).inputs
    with torch.no_grad():
        same = student(images).argmax(1) == network().eval()(images).argmax(1)
    found = metric.measure(student, data, "test")
    assert found.name == "agreement with the teacher"
    assert found.value == pytest.approx(float(same.double().mean()))
    assert values_of(metric, network(), data, "test").mean() == 1
    assert [metric.name for metric in load_data("digits").metrics] == ["accuracy"]


def test_a_written_folder_is_data(data: PseudoLabeledData, tmp_path: Path) -> None:
    write_pseudo_labeled(data, tmp_path)
    again = load_data(tmp_path)
    assert again.digest == data.digest
    assert again.classes == CLASSES
    assert again.metrics[0].name == data.metrics[0].name
    assert again.source is not None
    assert again.source.data == str(tmp_path)


def test_a_folder_of_photos_is_labeled(folder: Path) -> None:
    notes: list[str] = []
    torch.manual_seed(0)
    teacher = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4, 3, bias=False))
    found = pseudo_labeled(
        folder, teacher, classes=CLASSES, progress=lambda s: notes.append(s.note)
    )
    assert found.name == "photos"
    assert found.shape == (1, 10, 12)
    assert any("images gray, 10×12" in note for note in notes)
    other = pseudo_labeled(folder, teacher, classes=CLASSES, image_size=16)
    assert other.shape == (1, 16, 16)


def test_a_damaged_folder_is_an_error(data: PseudoLabeledData, tmp_path: Path) -> None:
    write_pseudo_labeled(data, tmp_path)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    for damaged in (content[:1000], content.replace(b"bright", b"brigh"), b""):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"is damaged .*diswot teacher label"):
            load_data(tmp_path)


def test_pools_and_teachers_that_do_not_fit_are_refused(folder: Path) -> None:
    with pytest.raises(TeacherError, match=r"resnet20 has no trained weights.*--teacher-weights"):
        pseudo_labeled(folder, "resnet20", classes=CLASSES)
    constant = network()
    nn.init.zeros_(constant[-1].weight)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"predicts the class .* for all 4 test images"):
        pseudo_labeled(folder, constant, classes=CLASSES)
    with pytest.raises(OptionError, match="is not a file"):
        pseudo_labeled(folder, network(), classes="missing.txt")
    for path in list(folder.rglob("*.png"))[:10]:
        path.unlink()
    with pytest.raises(DataError, match=r"at least 20 images to divide, but .* has 14"):
        pseudo_labeled(folder, network(), classes=CLASSES)


def test_their_training_images_are_the_pool(data: PseudoLabeledData, tmp_path: Path) -> None:
    write_pseudo_labeled(data, tmp_path)
    method, task = find_method("web-images"), find_task("images")
    method.check(task, {"data": str(tmp_path)})
    assert method.searched(data, {"pool": None}) is data
    for given in (data, str(tmp_path)):
        with pytest.raises(OptionError, match="which may have their test images: leave --pool out"):
            method.check(task, {"data": given, "pool": "mixed-digits"})
    assert len(with_pool(load_data("digits"), data).train) == len(data.train)


@pytest.mark.slow
@pytest.mark.processes
def test_a_student_without_labels_is_distilled(cli: CommandLine, tmp_path: Path) -> None:
    weights = tmp_path / "teacher"
    trained = cli("teacher", "train", "resnet20", "--epochs", "2", "--out", weights)
    assert trained.code == 0, trained.err
    (tmp_path / "classes.txt").write_text("\n".join("0123456789"))
    teacher = ("--teacher", "resnet20", "--teacher-weights", weights / "best.safetensors")
    named = ("--teacher-classes", tmp_path / "classes.txt", "--out", tmp_path / "labeled")
    refused = cli("teacher", "label", "mixed-digits", *teacher)
    assert refused.code != 0
    assert "--teacher-classes FILE" in refused.err
    labeled = cli("teacher", "label", "mixed-digits", *teacher, *named)
    assert labeled.code == 0, labeled.err
    assert f"--data {tmp_path / 'labeled'}" in labeled.out
    arch = "stem=3,expansion=1,width1=4,depth1=1,kernel1=3,width2=8,depth2=1,kernel2=3"
    common = ("distill", "--method", "web-images", "--space", "thin", "--arch", arch, *teacher)
    small = ("--epochs", "1", "--images-per-epoch", "128", "--pool-selection", "teacher", "--force")
    out, student = tmp_path / "out", tmp_path / "student"
    done = cli(*common, *small, "--data", tmp_path / "labeled", "--out", out)
    assert done.code == 0, done.err
    assert "Test agreement with the teacher" in done.out
    assert "accuracy" not in done.out
    exported = cli("export", out, "--space", "thin", "--no-onnx", "--out", student)
    assert exported.code == 0, exported.err
    card = (student / "README.md").read_text("utf-8")
    assert "agreement with the teacher" in card
    assert "No labels were available" in card
    assert "accuracy" not in card
