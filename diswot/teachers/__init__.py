"""Names → teachers: networks that can be had at random initialization and with their weights."""

from diswot.teachers._as_trained import AsTrained
from diswot.teachers._asked_for import check_teacher, has_weights
from diswot.teachers._built_in import TEACHERS, BuiltIn
from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._class_order import ORDERS, ClassOrder, TeacherClasses, as_text
from diswot.teachers._finding import GIVEN, NAMED, find_teacher
from diswot.teachers._order_check import OrderCheck
from diswot.teachers._own_view import ViewCheck, compare_views
from diswot.teachers._predictions import Predictions
from diswot.teachers._teacher import Teacher
from diswot.teachers._trained_checks import check_trained

__all__ = [
    "GIVEN",
    "NAMED",
    "ORDERS",
    "TEACHERS",
    "AsTrained",
    "BuiltIn",
    "ClassOrder",
    "OrderCheck",
    "Predictions",
    "Teacher",
    "TeacherClasses",
    "ViewCheck",
    "as_text",
    "check_teacher",
    "check_trained",
    "compare_views",
    "find_teacher",
    "has_weights",
    "load_checkpoint",
]
