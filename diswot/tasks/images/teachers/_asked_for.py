"""Checks of a teacher of images, before there are data for it."""

from pathlib import Path

from torch import nn

from diswot.errors import OptionError
from diswot.tasks.images.teachers._class_order import TeacherClasses
from diswot.tasks.images.teachers._sources import SOURCES
from diswot.teachers import Teacher, name_of


def check_teacher(
    teacher: str | nn.Module | Teacher,
    *,
    weights: str | Path | None = None,
    teacher_epochs: int | None = None,
    teacher_state: str | None = None,
    teacher_classes: TeacherClasses | None = None,
) -> None:
    """Check a teacher before there are data for it.

    Args:
        teacher: see [`find_teacher`][diswot.tasks.images.teachers.find_teacher].
        weights: a checkpoint to load into it.
        teacher_epochs: how long it is to be trained.
        teacher_state: the weights that scores are to see it with.
        teacher_classes: the order of its outputs.

    Raises:
        DiswotError: it does not exist, cannot be had, or an option means nothing for it.
    """
    SOURCES.check(teacher, weights=weights, epochs=teacher_epochs, state=teacher_state)
    if not SOURCES.has_weights(teacher, weights):
        check_classes_of_weights(name_of(teacher), teacher_classes)


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
