"""Teachers of landmarks: built-in and user-defined networks."""

import pytest
import torch
from torch import nn

from diswot.errors import OptionError, UnknownNameError
from diswot.tasks import find_task
from diswot.tasks.landmarks import NETWORKS, LandmarkData
from search_spaces import Signature


@pytest.mark.parametrize("name", NETWORKS)
def test_built_in_teachers_return_coordinates(name: str, outlines: LandmarkData) -> None:
    teacher = find_task("landmarks").find_teacher(name, outlines)
    batch = outlines.batch("val", torch.arange(3))
    assert teacher.initialized(0)(*batch.inputs).shape == batch.targets.shape
    assert teacher.weights is None


def linear(signature: Signature) -> nn.Module:
    """Return a linear network of a signature."""
    (images,) = signature.example(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(images.numel(), signature.outputs))


def test_user_defined_teachers_get_the_signature(outlines: LandmarkData) -> None:
    teacher = find_task("landmarks").find_teacher(f"{__name__}:linear", outlines)
    assert teacher.weights is not None
    assert teacher.weights()(torch.zeros(2, 1, 16, 16)).shape == (2, 32)


def test_image_classifiers_are_refused_as_teachers(outlines: LandmarkData) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown teacher 'resnet56'.*package\.module"):
        find_task("landmarks").check_teacher("resnet56")
    with pytest.raises(OptionError, match="--teacher-classes does not apply to the task landmarks"):
        find_task("landmarks").find_teacher("mobile-large", outlines, teacher_classes="data")
