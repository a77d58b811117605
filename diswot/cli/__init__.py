"""The command line: reads options, calls the library, prints."""

from diswot.cli._main import main

__all__ = ["main"]
