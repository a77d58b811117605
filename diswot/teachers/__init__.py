"""Names, libraries and checkpoints → teachers: networks at random initialization and trained."""

from diswot.teachers._checkpoint import load_checkpoint
from diswot.teachers._given import called, given
from diswot.teachers._hub import check_hub_download, check_torch_download, folder_or_id
from diswot.teachers._libraries import imported, library_teacher
from diswot.teachers._own_view import OwnView
from diswot.teachers._sources import BuiltIn, Library, TeacherSources, name_of
from diswot.teachers._teacher import Teacher

__all__ = [
    "BuiltIn",
    "Library",
    "OwnView",
    "Teacher",
    "TeacherSources",
    "called",
    "check_hub_download",
    "check_torch_download",
    "folder_or_id",
    "given",
    "imported",
    "library_teacher",
    "load_checkpoint",
    "name_of",
]
