"""Resolution of names and networks to teachers for images."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from diswot.networks.copies import copied
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._class_order import TeacherClasses, class_order
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._ordered import ordered
from diswot.tasks.images.teachers._sources import SOURCES
from diswot.tasks.images.teachers._teacher_checks import check_classes_of_weights
from diswot.teachers import Teacher


def find_teacher(
    teacher: str | nn.Module | Teacher,
    images: ImageSpec,
    *,
    weights: str | Path | None = None,
    classes: Sequence[str] | None = None,
    teacher_classes: TeacherClasses | None = None,
) -> Teacher:
    """Return the teacher of a name or network.

    Args:
        teacher: a built-in name; `hf:<folder or id>`, `timm:<name>` or `torchvision:<name>`
            for a network of these libraries with its weights and its own normalization;
            `package.module:callable`, called with `num_classes`, `in_channels`, `images` and
            `signature` if it has such parameters; or a network. The last two are assumed to be
            trained. A `Teacher` is returned unchanged.
        images: spec of the data's images.
        weights: checkpoint (`.safetensors`, `.pt` or `.pth`) to load into the teacher.
        classes: class names of the data, if known; the outputs of a teacher with another order
            are permuted.
        teacher_classes: class order of the teacher's outputs, if it has no class names: `data`,
            `text` or `natural` (the data's classes as they are, sorted as text, or sorted
            naturally), a file with a name per line (or JSON), or the names.

    Raises:
        UnknownNameError: no teacher has that name.
        TeacherError: the teacher cannot be built or loaded.
        NetworkError: a library's network does not fit the data.
        MissingExtraError: its library is not installed.
        CheckpointError: the checkpoint is missing, damaged, unsafe or of another network.
        OptionError: `teacher_classes` are not those of the data, or the teacher has no weights.

    Examples:
        >>> images = ImageSpec((1, 16, 16), 10, mean=(0.3,), std=(0.4,), scale=16.0)
        >>> teacher = find_teacher("resnet20", images)
        >>> sum(p.numel() for p in teacher.initialized(seed=0).parameters())
        272186
    """
    if isinstance(teacher, Teacher):
        return teacher
    offered = {
        "num_classes": images.num_classes,
        "in_channels": images.shape[0],
        "images": images,
        "signature": images.signature,
    }
    result = SOURCES.find(teacher, offered, weights=weights)
    return _in_order(ImageTeacher.of(result), images, classes, teacher_classes)


def _in_order(
    teacher: ImageTeacher,
    images: ImageSpec,
    classes: Sequence[str] | None,
    named: TeacherClasses | None,
) -> ImageTeacher:
    """Return the teacher with its outputs permuted to the order of the data's classes."""
    if teacher.weights is None:
        check_classes_of_weights(teacher.name, named)
        return teacher
    order, notes = class_order(teacher.names, classes, num_classes=images.num_classes, named=named)
    weights, noted = teacher.weights, (*teacher.notes, *notes)
    if list(order.labels) != list(range(images.num_classes)):
        indices = torch.tensor(order.labels).argsort()
        weights = partial(copied, ordered(weights(), indices, images))
    return replace(teacher, weights=weights, notes=noted, order=order)
