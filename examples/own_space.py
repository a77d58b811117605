"""Declare a search space, search it, and export the student.

The space has networks similar to MobileNet: a stem, then blocks of a depthwise and a pointwise
convolution. The class declares the choices and builds the network of an architecture; sampling,
mutation, crossover and names are derived from the choices. The program searches the best student
of a ResNet-56 within a budget, distills it, and exports it.

    python examples/own_space.py                     # digits; takes minutes on two CPU cores
    python examples/own_space.py --data cifar100 --data-root ~/data --epochs 240
    python examples/own_space.py --small             # takes seconds

In this folder, `diswot run --space own_space:MobileStudents` uses the same space. The class is
then instantiated without arguments.
"""

import argparse
from typing import Any

from torch import nn

import diswot
from search_spaces import Choice, ChoiceSpace


class MobileStudents(ChoiceSpace):
    """Depthwise separable networks with three stages; 3⁴ = 81 architectures."""

    width = Choice(16, 24, 32)
    depth = Choice(1, 2, 3)
    kernel = Choice(3, 5, 7)
    activation = Choice("relu", "silu", "hardswish")

    def __init__(self, in_channels: int = 1) -> None:
        super().__init__()
        self.in_channels = in_channels

    def build(self, arch: Any, num_classes: int) -> nn.Module:
        """Return the network of an architecture: any module that ends with a linear classifier."""
        activation = {"relu": nn.ReLU, "silu": nn.SiLU, "hardswish": nn.Hardswish}[arch.activation]
        layers: list[nn.Module] = [
            nn.Conv2d(self.in_channels, arch.width, 3, padding=1, bias=False),
            nn.BatchNorm2d(arch.width),
            activation(),
        ]
        width = arch.width
        for stage in range(3):
            for block in range(arch.depth):
                first = stage > 0 and block == 0
                wider = 2 * width if first else width
                layers += separable(width, wider, arch.kernel, 2 if first else 1, activation)
                width = wider
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes)]
        return nn.Sequential(*layers, *head)


def separable(
    given: int, width: int, kernel: int, stride: int, activation: type[nn.Module]
) -> list[nn.Module]:
    """Return a depthwise and a pointwise convolution, each with batch normalization."""
    return [
        nn.Conv2d(given, given, kernel, stride, kernel // 2, groups=given, bias=False),
        nn.BatchNorm2d(given),
        activation(),
        nn.Conv2d(given, width, 1, bias=False),
        nn.BatchNorm2d(width),
        activation(),
    ]


def main(*, data: str, data_root: str | None, epochs: int | None, small: bool) -> None:
    """Search, distill and export a student."""
    images = diswot.load_data(data, root=data_root)
    teacher = "resnet20" if small else "resnet56"
    result = diswot.search(
        teacher,
        MobileStudents(images.shape[0]),
        data=images,
        budget=diswot.Budget(params=50_000),
        population=6 if small else 20,
        generations=1 if small else 5,
        repeats=1 if small else 3,
    )
    best = result.best
    print(f"best of {len(result.candidates)}: {best.name}, {best.params:,} parameters")

    student = best.build()
    report = diswot.distill(
        student,
        teacher,
        data=images,
        data_root=data_root,
        epochs=1 if small else epochs,
        teacher_epochs=2 if small else None,
    )
    print(f"student: {report.test} on the test split")

    exported = diswot.export(student, "student", onnx=False if small else None)
    print(f"exported to {exported.folder}: {', '.join(exported.files)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="digits", help="Name of a dataset, or folder of images.")
    parser.add_argument("--data-root", help="Folder of the named datasets.")
    parser.add_argument("--epochs", type=int, help="Epochs of the distillation.")
    parser.add_argument("--small", action="store_true", help="Run a tiny search.")
    main(**vars(parser.parse_args()))
