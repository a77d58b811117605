"""Sources of teachers for images: built-in networks and libraries."""

from collections.abc import Mapping

from diswot.errors import OptionError
from diswot.registry import Registry
from diswot.tasks.images.teachers._built_in import TEACHERS
from diswot.tasks.images.teachers._hugging_face import hugging_face
from diswot.tasks.images.teachers._timm import find_timm, timm
from diswot.tasks.images.teachers._torchvision import find_torchvision, torchvision
from diswot.teachers import Library, TeacherSources, find_transformers


def _library(name: str, found: object) -> Library:
    if not isinstance(found, Library):
        raise OptionError(f"teachers {name}: expected a diswot.teachers.Library, but got {found!r}")
    return found


_LIBRARIES: Mapping[str, Library] = Registry(
    "library of teachers",
    "diswot.teachers.images",
    {
        "hf": Library(
            "FOLDER_OR_ID",
            "an image classifier of Hugging Face transformers (extra hf)",
            find_transformers,
            hugging_face,
        ),
        "timm": Library("NAME", "a network of timm with its weights (extra timm)", find_timm, timm),
        "torchvision": Library(
            "NAME",
            "a network of torchvision with its weights (extra torchvision)",
            find_torchvision,
            torchvision,
        ),
    },
    adopt=_library,
)

SOURCES = TeacherSources(TEACHERS, _LIBRARIES)
"""Possible values of `--teacher` for images."""
