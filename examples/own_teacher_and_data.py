"""Search, distill and export a student for a teacher and a dataset that are Python objects.

The teacher can be any network that pools its last feature map and ends with one linear layer. The
dataset can be any `torch.utils.data.Dataset` of pairs (image, class).

    python examples/own_teacher_and_data.py           # takes a minute on two CPU cores
    python examples/own_teacher_and_data.py --small   # takes seconds
"""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import TensorDataset

import diswot
from search_spaces import ResNetDepthSpace


def eight_by_eight(count: int) -> TensorDataset:
    """Return scikit-learn's digits: grayscale images of 8×8 pixels."""
    pixels, classes = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels[:count]).float().view(-1, 1, 8, 8) / 16
    return TensorDataset(images, torch.from_numpy(classes[:count]))


def two_layers() -> nn.Module:
    """Return a teacher with two convolutions."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def main(*, small: bool) -> None:
    """Train the teacher; search, distill and export a student."""
    data, epochs = eight_by_eight(300 if small else 1797), 3 if small else 20
    teacher = two_layers()
    trained = diswot.distill(teacher, None, data=data, loss="alone", epochs=epochs)
    print(f"teacher: {trained.test} on the test split")

    result = diswot.search(
        teacher,
        ResNetDepthSpace((1, 2, 3), widths=(8, 8, 16), in_channels=1),
        data=data,
        budget=diswot.Budget(params=15_000),
        population=4 if small else 20,
        generations=1,
        repeats=1 if small else 3,
    )
    best = result.best
    print(f"best of {len(result.candidates)}: {best.name}, {best.params:,} parameters")

    student = best.build()
    report = diswot.distill(student, teacher, data=data, epochs=epochs, force=small)
    print(f"student: {report.test} on the test split")

    exported = diswot.export(student, "student", onnx=False if small else None)
    print(f"exported to {exported.folder}: {', '.join(exported.files)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="Use 300 images and three epochs.")
    main(small=parser.parse_args().small)
