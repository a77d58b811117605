"""Teachers for images: built-in networks, and pretrained ones of libraries."""

from diswot.tasks.images.teachers._as_trained import AsTrained
from diswot.tasks.images.teachers._built_in import TEACHERS, ImageNetwork
from diswot.tasks.images.teachers._class_order import (
    ORDERS,
    ClassOrder,
    TeacherClasses,
    as_text,
    class_names,
)
from diswot.tasks.images.teachers._find_teacher import find_teacher
from diswot.tasks.images.teachers._image_teacher import ImageTeacher
from diswot.tasks.images.teachers._order_check import OrderCheck
from diswot.tasks.images.teachers._own_view import ViewCheck, compare_views
from diswot.tasks.images.teachers._photo_view import PhotoView, photo_views
from diswot.tasks.images.teachers._predictions import Predictions
from diswot.tasks.images.teachers._processor import view_of
from diswot.tasks.images.teachers._sources import SOURCES
from diswot.tasks.images.teachers._teacher_checks import check_teacher
from diswot.tasks.images.teachers._trained_checks import check_trained

__all__ = [
    "ORDERS",
    "SOURCES",
    "TEACHERS",
    "AsTrained",
    "ClassOrder",
    "ImageNetwork",
    "ImageTeacher",
    "OrderCheck",
    "PhotoView",
    "Predictions",
    "TeacherClasses",
    "ViewCheck",
    "as_text",
    "check_teacher",
    "check_trained",
    "class_names",
    "compare_views",
    "find_teacher",
    "photo_views",
    "view_of",
]
