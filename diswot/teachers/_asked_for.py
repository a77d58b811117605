"""What can be said of a teacher that is asked for, before there are data for it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from diswot.errors import OptionError, TeacherError, UnknownNameError
from diswot.references import is_reference, resolve
from diswot.teachers._built_in import TEACHERS
from diswot.teachers._checkpoint import checkpoint_path
from diswot.teachers._class_order import TeacherClasses
from diswot.teachers._hugging_face import find_hugging_face
from diswot.teachers._teacher import Teacher
from diswot.teachers._timm import find_timm
from diswot.teachers._torchvision import find_torchvision

_LIBRARIES: Mapping[str, Callable[[str, bool], Any]] = {
    "hf": lambda place, _: find_hugging_face(place),
    "timm": lambda name, pretrained: find_timm(name, pretrained=pretrained),
    "torchvision": lambda name, pretrained: find_torchvision(name, pretrained=pretrained),
}


def has_weights(teacher: str | nn.Module | Teacher, weights: str | Path | None) -> bool:
    """Return whether a teacher comes with weights: all but built-in ones without a checkpoint."""
    if isinstance(teacher, Teacher):
        return teacher.weights is not None
    return weights is not None or not isinstance(teacher, str) or teacher not in TEACHERS


def check_teacher(
    teacher: str | nn.Module | Teacher,
    *,
    weights: str | Path | None = None,
    teacher_classes: TeacherClasses | None = None,
    teacher_epochs: int | None = None,
    teacher_state: str | None = None,
) -> None:
    """Raise what can be said of a teacher before there are data for it.

    Args:
        teacher: see [`find_teacher`][diswot.teachers.find_teacher].
        weights: a checkpoint to load into it.
        teacher_classes: the order of its outputs.
        teacher_epochs: how long it is to be trained.
        teacher_state: the weights that scores are to see it with.

    Raises:
        DiswotError: it does not exist, cannot be had, or an option means nothing for it.
    """
    check_exists(teacher, pretrained=weights is None)
    if weights is not None:
        checkpoint_path(weights)
    name = teacher if isinstance(teacher, str) else getattr(teacher, "name", type(teacher).__name__)
    if has_weights(teacher, weights):
        if teacher_epochs is not None:
            raise OptionError(
                f"--teacher-epochs {teacher_epochs} is of a built-in teacher without weights, "
                f"which is trained first, but {name} comes with weights: leave it out"
            )
        return
    check_classes_of_weights(name, teacher_classes)
    if teacher_state == "trained":
        raise TeacherError(
            f"teacher {name} has no trained weights: give them with --teacher-weights"
        )


def check_classes_of_weights(name: str, teacher_classes: TeacherClasses | None) -> None:
    """Refuse an order of outputs for a teacher that has no weights.

    Raises:
        OptionError: one is given.
    """
    if teacher_classes is not None:
        raise OptionError(
            f"the teacher {name} has no weights yet, so its classes are the data's: "
            "leave --teacher-classes out, or give --teacher-weights"
        )


def check_exists(teacher: str | nn.Module | Teacher, *, pretrained: bool) -> None:
    """Raise what can be said of a teacher's name.

    Raises:
        DiswotError: nothing has it, or what it names cannot be had.
    """
    if not isinstance(teacher, str | nn.Module | Teacher):
        raise OptionError(f"Expected a teacher's name or a torch.nn.Module, but got {teacher!r}")
    if not isinstance(teacher, str):
        return
    library, _, place = teacher.partition(":")
    if is_reference(teacher) and library in _LIBRARIES:
        _LIBRARIES[library](place, pretrained)
    elif is_reference(teacher):
        resolve(teacher, kind="teacher")
    elif teacher not in TEACHERS:
        also = " (or give hf:FOLDER, timm:NAME, torchvision:NAME or package.module:callable)"
        raise UnknownNameError("teacher", teacher, TEACHERS, also=also)
