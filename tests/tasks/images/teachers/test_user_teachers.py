"""Callables that build a teacher, and the arguments that they can ask for."""

import torch
from torch import nn

from diswot.tasks.images import ImageSpec
from diswot.tasks.images.teachers import AsTrained, find_teacher

GRAY = ImageSpec((1, 16, 16), 7, (0.3,), (0.4,), 16.0)


def normalized_as_it_was_trained(num_classes: int, images: ImageSpec) -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, num_classes))
    return AsTrained(network, images, mean=(0.5,) * 3, std=(0.5,) * 3, size=8)


def of_channels(in_channels: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * 256, 7))


def test_a_callable_gets_the_arguments_it_asks_for() -> None:
    for make in (normalized_as_it_was_trained, of_channels):
        teacher = find_teacher(f"{__name__}:{make.__name__}", GRAY)
        assert teacher.weights is not None
        assert teacher.weights()(torch.zeros(2, 1, 16, 16)).shape == (2, 7)


def test_finding_a_teacher_does_not_change_the_random_state() -> None:
    before = torch.get_rng_state()
    find_teacher(f"{__name__}:of_channels", GRAY)
    assert torch.equal(torch.get_rng_state(), before)
