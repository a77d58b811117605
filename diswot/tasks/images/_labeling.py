"""Predictions of a teacher as the classes of unlabeled images."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from diswot.errors import DataError, TeacherError
from diswot.networks.output import run
from diswot.progress import Progress, message, silent
from diswot.seeding import generator_for
from diswot.tasks._examples import SPLITS
from diswot.tasks.images._image_spec import image_spec
from diswot.tasks.images._pool import pool_images
from diswot.tasks.images._pseudo_labels import PseudoLabeledData
from diswot.tasks.images._split import Split
from diswot.tasks.images.teachers import TeacherClasses, class_names, find_teacher

AT_ONCE = 250
"""Batch size of the predictions."""

LEAST = 20
"""Smallest number of images that are divided into three splits."""


def pseudo_labeled(
    pool: Any,
    teacher: Any,
    *,
    classes: TeacherClasses,
    weights: str | Path | None = None,
    image_size: int | None = None,
    root: str | Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> PseudoLabeledData:
    """Divide unlabeled images into three splits, with a teacher's predictions as classes.

    One in five images is held out for the test split and one in ten for validation, at random.

    Args:
        pool: a folder with images at any depth, or the name of a dataset, of which the training
            images are used.
        teacher: a name, a reference such as `hf:FOLDER`, or a network; it must have weights.
        classes: names of the classes in the order of the teacher's outputs, or a file with a name
            per line or with the `id2label` of a Hugging Face configuration.
        weights: checkpoint to load into the teacher.
        image_size: height and width of the images; by default inferred.
        root: the data root.
        device: torch device of the teacher.
        progress: receives every step.

    Raises:
        DataError: the pool cannot be read, has too few images, or the teacher predicts the same
            class for all images that are held out.
        TeacherError: the teacher has no weights.
        DiswotError: the teacher does not exist, or does not fit the images or the classes.

    Examples:
        >>> from torch import nn
        >>> teacher = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
        >>> data = pseudo_labeled("mixed-digits", teacher, classes=["a", "b", "c"])
        >>> data.summary()
        'mixed-digits: 1,120 train, 160 val, 320 test images of 1×16×16, 3 classes'
        >>> data.metrics[0].name
        'agreement with the teacher'
    """
    names = class_names(classes)
    name, images = pool_images(pool, image_size=image_size, root=root, progress=progress)
    data = _unlabeled(Path(name).name, images, names)
    network = _trained(teacher, data, weights=weights, progress=progress).to(device).eval()
    train, val, test = (_labeled(network, data, split, device) for split in SPLITS)
    data = replace(data, train=train, val=val, test=test)
    predicted = torch.unique(data.test.labels)
    if len(predicted) == 1:
        raise DataError(
            f"the teacher predicts the class {names[int(predicted)]} for all {len(data.test)} "
            "test images: give images that are more like its own"
        )
    return data


def _unlabeled(name: str, images: Tensor, classes: Sequence[str]) -> PseudoLabeledData:
    """Divide images (n, C, H, W) at random into the splits of data whose classes are all 0."""
    if len(images) < LEAST:
        raise DataError(
            f"Expected at least {LEAST} images to divide, but {name} has {len(images)}: add images"
        )
    order = torch.from_numpy(generator_for("pseudo-labels").permutation(len(images)))
    ends = len(images) // 5, len(images) // 5 + len(images) // 10
    parts = (part.sort().values for part in torch.tensor_split(order, ends))
    test, val, train = (Split(images[part], torch.zeros_like(part)) for part in parts)
    spec = image_spec(train.images, len(classes))
    return PseudoLabeledData(name, train, val, test, spec, classes=tuple(classes))


def _trained(
    teacher: Any, data: PseudoLabeledData, *, weights: str | Path | None, progress: Progress
) -> nn.Module:
    """Return the network of a teacher with weights.

    Raises:
        TeacherError: it has none.
    """
    found = find_teacher(teacher, data.spec, weights=weights, classes=data.classes)
    for note in found.notes:
        progress(message("teacher", note))
    if found.weights is None:
        raise TeacherError(
            f"teacher {found.name} has no trained weights, so it cannot predict classes: give "
            "them with --teacher-weights"
        )
    return found.weights()


@torch.no_grad()
def _labeled(network: nn.Module, data: PseudoLabeledData, split: str, device: str) -> Split:
    """Return the images of a split with the predicted classes."""
    images: Tensor = getattr(data, split).images
    outputs = [
        run(network, data.normalize(part.to(device)), who="the teacher").argmax(1).cpu()
        for part in torch.split(images, AT_ONCE)
    ]
    return Split(images, torch.cat(outputs))
