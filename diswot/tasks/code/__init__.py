"""Classification of source code: data, normalization, vocabulary, and the task."""

from diswot.tasks.code._catalog import DATASETS, check_code, load_code
from diswot.tasks.code._code_data import CodeData
from diswot.tasks.code._embedded import EMBEDDED
from diswot.tasks.code._encoding import encoded
from diswot.tasks.code._normalization import LANGUAGES, MASK, language_of, normalized
from diswot.tasks.code._options import CodeOptions
from diswot.tasks.code._program import Program, Programs, groups_of
from diswot.tasks.code._reading import read_programs
from diswot.tasks.code._task import CodeClassification
from diswot.tasks.code._transfer import programs_for_student
from diswot.tasks.code._vocabulary import Vocabulary

__all__ = [
    "DATASETS",
    "EMBEDDED",
    "LANGUAGES",
    "MASK",
    "CodeClassification",
    "CodeData",
    "CodeOptions",
    "Program",
    "Programs",
    "Vocabulary",
    "check_code",
    "encoded",
    "groups_of",
    "language_of",
    "load_code",
    "normalized",
    "programs_for_student",
    "read_programs",
]
