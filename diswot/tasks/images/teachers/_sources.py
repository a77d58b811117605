"""Where teachers of images come from."""

from collections.abc import Mapping

from diswot.tasks.images.teachers._built_in import TEACHERS
from diswot.tasks.images.teachers._hugging_face import hugging_face
from diswot.tasks.images.teachers._timm import find_timm, timm
from diswot.tasks.images.teachers._torchvision import find_torchvision, torchvision
from diswot.teachers import Library, TeacherSources, find_transformers

_LIBRARIES: Mapping[str, Library] = {
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
}

SOURCES = TeacherSources(TEACHERS, _LIBRARIES)
"""What `--teacher` can be for images."""
