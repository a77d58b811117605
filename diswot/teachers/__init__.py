"""Names, libraries and checkpoints → teachers: networks at random initialization and trained."""

from importlib import import_module
from typing import Any

from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._given import called, given
from diswot.teachers._hub import check_hub_download, check_torch_download
from diswot.teachers._libraries import imported, library_teacher
from diswot.teachers._sources import BuiltIn, Library, TeacherSources, name_of
from diswot.teachers._teacher import OwnView, Teacher
from diswot.teachers._transformers import (
    Pretrained,
    TransformersSource,
    find_transformers,
    transformers_source,
)

__all__ = [
    "BuiltIn",
    "Library",
    "OwnView",
    "Pretrained",
    "Teacher",
    "TeacherSources",
    "TransformersSource",
    "called",
    "check_hub_download",
    "check_torch_download",
    "find_transformers",
    "given",
    "imported",
    "library_teacher",
    "load_checkpoint",
    "name_of",
    "transformers_source",
]

_OF_IMAGES = ("TEACHERS", "AsTrained", "check_teacher", "check_trained", "find_teacher")
"""Names of version 0.1.0 that are those of the task of images today."""


def __getattr__(name: str) -> Any:
    """Return what version 0.1.0 had here from where it is today."""
    if name in _OF_IMAGES:
        return getattr(import_module("diswot.tasks.images.teachers"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
