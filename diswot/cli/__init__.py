"""The command line: reads options, calls the library, prints."""

from diswot.cli._main import main
from diswot.cli._progress import shown_progress

__all__ = ["main", "shown_progress"]
