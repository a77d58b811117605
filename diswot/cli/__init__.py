"""The command line: reads options, calls the library, prints."""

from diswot.cli import _options as options
from diswot.cli._lazy import LazyGroup
from diswot.cli._main import main
from diswot.cli._numbers import Count
from diswot.cli._progress import shown_progress
from diswot.cli._tables import optional, print_json, print_table

__all__ = [
    "Count",
    "LazyGroup",
    "main",
    "optional",
    "options",
    "print_json",
    "print_table",
    "shown_progress",
]
