"""Teachers whose outputs stand for classes of images."""

from collections.abc import Sequence
from dataclasses import dataclass

from diswot.tasks.images.teachers._class_order import ClassOrder
from diswot.teachers import Teacher


@dataclass(frozen=True)
class ImageTeacher(Teacher):
    """A classifier of images to distill from.

    Attributes:
        names: of its outputs' classes, where known.
        order: which class of the data each output stands for; `None` where it is not yet
            known, or it was trained on them here.
    """

    names: tuple[str, ...] | None = None
    order: ClassOrder | None = None

    @classmethod
    def of(cls, teacher: Teacher, *, names: Sequence[str] | None = None) -> "ImageTeacher":
        """Return a teacher as one of images, with the names of its outputs where they are known."""
        if isinstance(teacher, ImageTeacher):
            return teacher
        named = None if names is None else tuple(names)
        return cls(teacher.name, teacher.build, teacher.weights, teacher.notes, names=named)
