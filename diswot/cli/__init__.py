"""The command line: reads options, calls the library, prints."""

from diswot.cli import _options as options
from diswot.cli._declared import Folder, names, option
from diswot.cli._lazy import LazyGroup
from diswot.cli._main import main
from diswot.cli._numbers import Count, Whole
from diswot.cli._progress import displayed_progress
from diswot.cli._tables import optional, print_json, print_table
from diswot.cli._terminal import say

__all__ = [
    "Count",
    "Folder",
    "LazyGroup",
    "Whole",
    "displayed_progress",
    "main",
    "names",
    "option",
    "optional",
    "options",
    "print_json",
    "print_table",
    "say",
]
