"""Ground truths, rank statistics and the tables of `diswot bench`."""

from pathlib import Path

__all__ = ["EMBEDDED"]

EMBEDDED = Path(__file__).parent / "embedded"
"""The folder of the tables that come with the library."""
