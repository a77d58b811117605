"""Fixtures of several situations."""

from tests.tasks.images.conftest import kept, load

__all__ = ["kept", "load"]
