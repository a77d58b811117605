"""Teachers with the preprocessing that they were trained with."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import diswot
from diswot.errors import TeacherError
from diswot.networks import ActivationReader
from diswot.tasks.images import ImageSpec, load_data
from diswot.tasks.images.teachers import AsTrained, find_teacher
from search_spaces import CifarResNet

SPEC = ImageSpec((3, 12, 20), 4, (0.5, 0.4, 0.3), (0.2, 0.25, 0.3), 255.0)
GRAY = ImageSpec((1, 16, 16), 10, (0.3,), (0.4,), 16.0)


def pixels(spec: ImageSpec, count: int = 2) -> Tensor:
    """Pixels between 0 and 1."""
    return torch.rand(count, *spec.shape, generator=torch.Generator().manual_seed(0))


def normalized(images: Tensor, mean: Any, std: Any) -> Tensor:
    return (images - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(std).view(-1, 1, 1)


def resized(images: Tensor, size: tuple[int, int], how: Image.Resampling) -> Tensor:
    """Resize with Pillow, channel by channel."""
    maps = [
        np.array(Image.fromarray(each.numpy(), mode="F").resize(size[::-1], how))
        for each in images.flatten(0, 1)
    ]
    return torch.from_numpy(np.stack(maps)).view(*images.shape[:2], *size)


def test_the_networks_normalization_replaces_the_datas() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    view = AsTrained(nn.Identity(), SPEC, mean=mean, std=std)
    seen = view(normalized(pixels(SPEC), SPEC.mean, SPEC.std))
    torch.testing.assert_close(seen, normalized(pixels(SPEC), mean, std))


def test_images_are_unchanged_without_preprocessing_options() -> None:
    images = normalized(pixels(SPEC), SPEC.mean, SPEC.std)
    assert torch.equal(AsTrained(nn.Identity(), SPEC)(images), images)


@pytest.mark.parametrize(
    ("interpolation", "how"),
    [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)],
)
@pytest.mark.parametrize("size", [(5, 9), (24, 30), (6, 40)])
def test_images_are_resized_as_by_pillow(
    size: tuple[int, int], interpolation: Any, how: Image.Resampling
) -> None:
    view = AsTrained(nn.Identity(), SPEC, size=size, interpolation=interpolation)
    images = normalized(pixels(SPEC), SPEC.mean, SPEC.std)
    torch.testing.assert_close(view(images), resized(images, size, how), atol=1e-5, rtol=1e-5)


def test_the_shorter_side_is_resized_and_the_center_cropped() -> None:
    view = AsTrained(nn.Identity(), SPEC, size=24, crop=(20, 30))
    images = normalized(pixels(SPEC), SPEC.mean, SPEC.std)
    whole = resized(images, (24, 40), Image.Resampling.BILINEAR)
    torch.testing.assert_close(view(images), whole[..., 2:22, 5:35], atol=1e-5, rtol=1e-5)


def test_a_color_network_gets_gray_images_in_every_channel() -> None:
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    view = AsTrained(nn.Identity(), GRAY, mean=mean, std=std)
    seen = view(normalized(pixels(GRAY), GRAY.mean, GRAY.std))
    torch.testing.assert_close(seen, normalized(pixels(GRAY).expand(-1, 3, -1, -1), mean, std))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mean": (0.5,), "std": (0.5,)}, "3 channels of the images"),
        ({"std": (0.5, 0.5)}, "got 3 and 2"),
        ({"std": (0.5, 0.0, 0.5)}, "positive std"),
        ({"crop": (13, 12)}, "resized to 12×20"),
        ({"size": 10, "crop": (12, 12)}, "resized to 10×16"),
        ({"size": 0}, "resized to 0×0"),
        ({"size": 8, "interpolation": "nearest"}, "'nearest'"),
    ],
)
def test_invalid_preprocessing_is_refused(settings: Any, words: str) -> None:
    with pytest.raises(TeacherError, match=words):
        AsTrained(nn.Identity(), SPEC, **settings)


def color_network() -> nn.Module:
    torch.manual_seed(0)
    return CifarResNet((1, 1, 1), num_classes=10, widths=(4, 4, 8, 8)).eval()


def wrapped(**settings: Any) -> AsTrained:
    return AsTrained(color_network(), GRAY, mean=(0.5,) * 3, std=(0.25,) * 3, **settings)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_the_wrapper_can_be_copied_and_pickled(copied: Callable[[nn.Module], nn.Module]) -> None:
    teacher, images = wrapped(size=32), normalized(pixels(GRAY), GRAY.mean, GRAY.std)
    with torch.no_grad():
        assert torch.equal(copied(teacher)(images), teacher(images))


def test_activations_are_those_of_the_wrapped_network() -> None:
    teacher = wrapped(size=32)
    images = normalized(pixels(GRAY), GRAY.mean, GRAY.std)
    with torch.no_grad(), ActivationReader(teacher) as read:
        activations = read(images)
    with torch.no_grad(), ActivationReader(teacher.network) as read:
        direct = read(teacher.as_trained(images))
    assert activations.resolution == (8, 8)
    for name in ("logits", "features", "feature_map"):
        assert torch.equal(getattr(activations, name), getattr(direct, name))


def test_the_digest_covers_the_preprocessing() -> None:
    teachers = [
        find_teacher(network, GRAY)
        for network in (wrapped(), wrapped(), wrapped(size=32), color_network())
    ]
    first, alike, larger, bare = (teacher.digest() for teacher in teachers)
    assert first == alike
    assert len({first, larger, bare}) == 3


@pytest.mark.slow
def test_a_reinitialized_teacher_keeps_its_preprocessing() -> None:
    teacher = find_teacher(wrapped(size=32), GRAY)
    assert teacher.weights is not None
    trained, fresh = teacher.weights(), teacher.initialized(3)
    assert isinstance(fresh, AsTrained)
    assert fresh.extra_repr() == wrapped(size=32).extra_repr()
    assert not torch.equal(next(fresh.parameters()), next(trained.parameters()))


def test_students_can_be_distilled_from_it_and_scored() -> None:
    data = load_data("digits")
    teacher = AsTrained(color_network(), data.spec, mean=(0.5,) * 3, std=(0.25,) * 3, size=20)
    for state in ("random", "trained"):
        (candidate,) = diswot.score(
            ["1-1-1"], teacher, data=data, repeats=1, batch_size=8, teacher_state=state
        )
        assert candidate.failure is None
