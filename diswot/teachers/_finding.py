"""What names and networks stand for: teachers."""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import torch
from torch import nn

from diswot.networks.copies import copied
from diswot.references import is_reference
from diswot.tasks.images import ImageSpec
from diswot.teachers._asked_for import check_classes_of_weights, check_exists
from diswot.teachers._built_in import TEACHERS
from diswot.teachers._checkpoint import loaded_notes
from diswot.teachers._class_order import TeacherClasses, class_order
from diswot.teachers._given import called, given
from diswot.teachers._hugging_face import hugging_face
from diswot.teachers._ordered import ordered
from diswot.teachers._teacher import Teacher
from diswot.teachers._timm import timm
from diswot.teachers._torchvision import torchvision

Library: TypeAlias = Callable[..., Teacher]

LIBRARIES: Mapping[str, Library] = {
    "hf": hugging_face,
    "timm": timm,
    "torchvision": torchvision,
}
"""Where networks with weights come from, by what stands before the colon."""

GIVEN: dict[str, str] = {
    "hf:FOLDER_OR_ID": "an image classifier of Hugging Face transformers (extra hf)",
    "timm:NAME": "a network of timm with its weights (extra timm)",
    "torchvision:NAME": "a network of torchvision with its weights (extra torchvision)",
    "package.module:callable": "a callable of your own that returns a torch.nn.Module",
}
"""What a teacher can be other than a built-in name."""


class _Named(Container[str]):
    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in TEACHERS or name.partition(":")[0] in LIBRARIES)


NAMED: Container[str] = _Named()
"""Names that stand for built-in teachers and those of libraries, and never for code."""


def find_teacher(
    teacher: str | nn.Module | Teacher,
    images: ImageSpec,
    *,
    weights: str | Path | None = None,
    classes: Sequence[str] | None = None,
    teacher_classes: TeacherClasses | None = None,
) -> Teacher:
    """Return the teacher that is meant.

    Args:
        teacher: a built-in name; `hf:<folder or id>`, `timm:<name>` or `torchvision:<name>`
            for a network of these libraries with its weights and its own normalization;
            `package.module:callable`, called with `num_classes`, `in_channels` and
            `images` where it takes them; or a network. The last two are taken to be
            trained as they come. A `Teacher` is returned as it is.
        images: what the data's images are.
        weights: a checkpoint (`.safetensors`, `.pt` or `.pth`) to load into it.
        classes: names of the data's classes, where known: a teacher that has them in
            another order is put in theirs.
        teacher_classes: the order of the teacher's outputs, where its own names do not
            say: `data`, `text` or `natural` (the data's classes as they are, sorted as
            text, or sorted by their numbers), a file with a name on each line (or JSON),
            or the names.

    Raises:
        UnknownNameError: no teacher has that name.
        TeacherError: it cannot be built or loaded.
        NetworkError: a library's network does not fit the data.
        MissingExtraError: its library is not installed.
        CheckpointError: the checkpoint is missing, damaged, hostile or of another network.
        OptionError: `teacher_classes` are not the data's, or the teacher has no weights.

    Examples:
        >>> images = ImageSpec((1, 16, 16), 10, mean=(0.3,), std=(0.4,), scale=16.0)
        >>> teacher = find_teacher("resnet20", images)
        >>> sum(p.numel() for p in teacher.initialised(seed=0).parameters())
        272186
    """
    if isinstance(teacher, Teacher):
        return teacher
    found = _found(teacher, images, pretrained=weights is None)
    if weights is not None:
        network = found.initialised(0) if found.weights is None else found.weights()
        notes = loaded_notes(network, weights)
        found = replace(found, weights=partial(copied, network), notes=(*found.notes, *notes))
    return _in_order(found, images, classes, teacher_classes)


def _found(
    teacher: str | nn.Module,
    images: ImageSpec,
    *,
    pretrained: bool,
) -> Teacher:
    if isinstance(teacher, str):
        library, colon, place = teacher.partition(":")
        if colon and library in LIBRARIES:  # which check it: a server is asked once
            return LIBRARIES[library](place, images, pretrained=pretrained)
    check_exists(teacher, pretrained=pretrained)
    if isinstance(teacher, nn.Module):
        return given(teacher, type(teacher).__name__)
    if is_reference(teacher):
        return called(teacher, images)
    build = partial(
        TEACHERS[teacher].build, num_classes=images.num_classes, in_channels=images.shape[0]
    )
    return Teacher(teacher, build, None)


def _in_order(
    teacher: Teacher,
    images: ImageSpec,
    classes: Sequence[str] | None,
    named: TeacherClasses | None,
) -> Teacher:
    """Return a teacher whose outputs are in the order of the data's classes."""
    if teacher.weights is None:
        check_classes_of_weights(teacher.name, named)
        return teacher
    order, notes = class_order(teacher.names, classes, num_classes=images.num_classes, named=named)
    weights, noted = teacher.weights, (*teacher.notes, *notes)
    if list(order.labels) != list(range(images.num_classes)):
        places = torch.tensor(order.labels).argsort()
        weights = partial(copied, ordered(weights(), places, images))
    return replace(teacher, weights=weights, notes=noted, order=order)
