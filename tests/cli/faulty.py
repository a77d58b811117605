"""Spaces, teachers and datasets with typical mistakes; tests name them as `module:name`."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from search_spaces import Architecture, Choice, ChoiceSpace


class Small(ChoiceSpace):
    """A valid space of four networks for the digits."""

    width = Choice(2, 4, 6, 8)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(1, arch.width, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(arch.width, num_classes),
        )


class Huge(Small):
    """The same networks, each a million times."""

    first = Choice(*range(1000))
    second = Choice(*range(1000))


class NoSpace:
    """A class that is not a SearchSpace."""


class ConstructorRaises(Small):
    def __init__(self) -> None:
        raise RuntimeError("no space\nin two lines")


class NoFields(ChoiceSpace):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Identity()


class SampleRaises(Small):
    def sample(self, rng: np.random.Generator) -> Architecture:
        raise RuntimeError("no sample\nin two lines")


class BuildRaises(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        raise RuntimeError("no network\nin two lines")


class BuildsNoModule(Small):
    def build(self, arch: Architecture, num_classes: int) -> Any:
        return "a network"


class NoFeatureMap(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(256, num_classes))


class WrongClasses(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        return super().build(arch, num_classes + 1)


class WrongChannels(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        network = super().build(arch, num_classes)
        return nn.Sequential(nn.Conv2d(3, 1, 1), *network.children())


class TimesNaN(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * float("nan")


class AllNaN(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        convolution, *rest = super().build(arch, num_classes).children()
        return nn.Sequential(convolution, TimesNaN(), *rest)


class OneNaN(AllNaN):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        builder = AllNaN if arch.width == 4 else Small
        return builder.build(self, arch, num_classes)


class OneRaises(Small):
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        if arch.width == 4:
            raise RuntimeError("this one cannot be\nbuilt")
        return super().build(arch, num_classes)


def seven_classes() -> nn.Module:
    """Return a valid network with too few classes for the digits."""
    return Small().build(Small().architecture(2), 7)


def no_network() -> str:
    """Return an object that is not a network."""
    return "a teacher"


def raising_teacher() -> nn.Module:
    """Raise an error with a message of two lines."""
    raise RuntimeError("no teacher\nin two lines")


def raising_data() -> Any:
    """Raise an error with a message of two lines."""
    raise RuntimeError("no data\nin two lines")


def no_dataset() -> Any:
    """Return an object that is not a dataset."""
    return 3


def empty_data() -> Any:
    """Return an empty dataset."""
    return []


def images_of_two_shapes() -> Any:
    """Return images of different shapes, which cannot be stacked."""
    return [(torch.zeros(1, 8 + i % 2, 8), i % 3) for i in range(60)]


def vectors() -> Any:
    """Return vectors instead of images."""
    return [(torch.zeros(8), i % 3) for i in range(60)]


def negative_classes() -> Any:
    """Return negative labels."""
    return [(torch.zeros(1, 8, 8), i % 3 - 1) for i in range(60)]


def one_image_per_class() -> Any:
    """Return one image per class, too few for a validation split."""
    return [(torch.zeros(1, 8, 8), i) for i in range(10)]


class _Unreadable:
    def __len__(self) -> int:
        return 60

    def __getitem__(self, index: int) -> Any:
        raise OSError("no image\nin two lines")


def unreadable_images() -> Any:
    """Return a dataset whose items cannot be read."""
    return _Unreadable()
