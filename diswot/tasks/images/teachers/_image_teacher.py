"""Teachers for image classification."""

from collections.abc import Sequence
from dataclasses import dataclass

from diswot.tasks.images.teachers._class_order import ClassOrder
from diswot.teachers import Teacher


@dataclass(frozen=True)
class ImageTeacher(Teacher):
    """An image classifier to distill from.

    Attributes:
        names: class names of its outputs, if known.
        order: class of the data of each output; `None` if not yet known, or if the teacher is
            trained on the data here.
    """

    names: tuple[str, ...] | None = None
    order: ClassOrder | None = None

    @classmethod
    def of(cls, teacher: Teacher, *, names: Sequence[str] | None = None) -> "ImageTeacher":
        """Convert a teacher to an `ImageTeacher`, with the class names of its outputs if known."""
        if isinstance(teacher, ImageTeacher):
            return teacher
        named = None if names is None else tuple(names)
        return cls(teacher.name, teacher.build, teacher.weights, teacher.notes, names=named)
