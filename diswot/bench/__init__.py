"""Ground truths, rank statistics and benchmarks of `diswot bench`."""

from pathlib import Path

__all__ = ["EMBEDDED"]

EMBEDDED = Path(__file__).parent / "embedded"
"""Folder of the tables in the package."""
