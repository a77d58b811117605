"""Names of version 0.1.0 can still be imported and used."""

from pathlib import Path

import pytest
import torch
from torch import nn

import diswot
import diswot.tasks.images
import diswot.teachers
from diswot.networks import Activations, ForwardPass
from diswot.tasks.images import ImageSpec
from diswot.tasks.images import teachers as of_images
from search_spaces import OUTPUT

IMAGES = ImageSpec((1, 8, 8), 3, (0.5,), (0.5,), 255.0)


@pytest.mark.parametrize(
    "name", ["TEACHERS", "AsTrained", "check_teacher", "check_trained", "find_teacher"]
)
def test_image_teachers_can_be_imported_from_their_old_module(name: str) -> None:
    assert getattr(diswot.teachers, name) is getattr(of_images, name)


@pytest.mark.parametrize("name", ["ImageData", "ImageSpec"])
def test_image_specs_can_be_imported_from_their_old_module(name: str) -> None:
    assert getattr(diswot, name) is getattr(diswot.tasks.images, name)


def test_unknown_names_of_diswot_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ImageDate'"):
        _ = diswot.ImageDate


def test_losses_and_scores_can_read_outputs_as_logits() -> None:
    given = torch.ones(2, 3)
    activations = Activations(ForwardPass(given, None, None, None))
    assert getattr(activations, OUTPUT) is activations.output is given


@pytest.mark.parametrize("name", ["find_student", "__path"])
def test_unknown_names_of_teachers_are_attribute_errors(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'diswot.teachers' has no attribute '{name}'"):
        getattr(diswot.teachers, name)


@pytest.mark.processes
def test_a_student_is_exported_with_an_image_spec(tmp_path: Path) -> None:
    student = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    done = diswot.export(student, tmp_path / "student", images=IMAGES, onnx=False)
    assert "student.py" in done.files


def test_an_accuracy_has_its_former_attributes() -> None:
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 10))
    student = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), *head)
    found = diswot.distill(student, None, data="digits", loss="alone", epochs=1).test
    assert (found.rate, found.total) == (found.value, 1297)
    assert found.interval == (found.low, found.high)
    assert found.correct == round(found.rate * found.total)


def test_former_spellings_still_work() -> None:
    data = diswot.load_data("digits")
    images = data.train.images[:2]
    assert torch.equal(data.normalise(images), data.normalize(images))
    teacher = of_images.find_teacher("resnet20", IMAGES)
    first, again = teacher.initialised(0), teacher.initialized(0)
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
