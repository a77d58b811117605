"""Checks of a teacher's name and options, before data are loaded."""

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
    """Check the name and options of a teacher before data are loaded.

    Args:
        teacher: see [`find_teacher`][diswot.tasks.images.teachers.find_teacher].
        weights: checkpoint to load into the teacher.
        teacher_epochs: epochs of the teacher's training, if it has to be trained.
        teacher_state: weights of the teacher for scores, `random` or `trained`.
        teacher_classes: class order of its outputs.

    Raises:
        DiswotError: the teacher is unknown or unavailable, or an option does not apply to it.
    """
    SOURCES.check(teacher, weights=weights, epochs=teacher_epochs, state=teacher_state)
    if not SOURCES.has_weights(teacher, weights):
        check_classes_of_weights(name_of(teacher), teacher_classes)


def check_classes_of_weights(name: str, teacher_classes: TeacherClasses | None) -> None:
    """Check that no class order is given for a teacher without weights.

    Raises:
        OptionError: one is given.
    """
    if teacher_classes is not None:
        raise OptionError(
            f"the teacher {name} has no weights yet, so its classes are the data's: "
            "leave --teacher-classes out, or give --teacher-weights"
        )
