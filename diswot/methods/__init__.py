"""Methods of `diswot run`: where students come from and how they are trained."""

from diswot.methods._method_manifest import (
    read_assignment,
    read_method_manifest,
    write_assignment,
)
from diswot.methods._methods import METHODS, find_method
from diswot.methods._run_method import Distilled, RunMethod, Workshop
from diswot.methods._whole_run import Assignment, Section, WholeReport, WholeRun

__all__ = [
    "METHODS",
    "Assignment",
    "Distilled",
    "RunMethod",
    "Section",
    "WholeReport",
    "WholeRun",
    "Workshop",
    "find_method",
    "read_assignment",
    "read_method_manifest",
    "write_assignment",
]
