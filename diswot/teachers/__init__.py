"""Names → teachers: networks that can be had at random initialisation and with their weights."""

from diswot.teachers._as_trained import AsTrained
from diswot.teachers._built_in import TEACHERS, BuiltIn
from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._class_order import ORDERS, ClassOrder, TeacherClasses, as_text
from diswot.teachers._finding import GIVEN, find_teacher
from diswot.teachers._order_check import OrderCheck, checked_order
from diswot.teachers._teacher import Teacher

__all__ = [
    "GIVEN",
    "ORDERS",
    "TEACHERS",
    "AsTrained",
    "BuiltIn",
    "ClassOrder",
    "OrderCheck",
    "Teacher",
    "TeacherClasses",
    "as_text",
    "checked_order",
    "find_teacher",
    "load_checkpoint",
]
