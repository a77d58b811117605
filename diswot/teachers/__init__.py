"""Teachers by name, from libraries and from checkpoints, with random or trained weights."""

from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._hf_config import check_size
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
from diswot.teachers._user_teacher import called, given

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
    "check_size",
    "check_torch_download",
    "find_transformers",
    "given",
    "imported",
    "library_teacher",
    "load_checkpoint",
    "name_of",
    "transformers_source",
]
