"""Names → teachers: networks that can be had at random initialisation and with their weights."""

from diswot.teachers._as_trained import AsTrained
from diswot.teachers._built_in import TEACHERS, BuiltIn
from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._finding import GIVEN, find_teacher
from diswot.teachers._teacher import Teacher

__all__ = [
    "GIVEN",
    "TEACHERS",
    "AsTrained",
    "BuiltIn",
    "Teacher",
    "find_teacher",
    "load_checkpoint",
]
