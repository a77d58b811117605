"""Fixtures that situations of several areas share."""

from tests.tasks.images.conftest import kept, load

__all__ = ["kept", "load"]
