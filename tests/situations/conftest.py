"""Fixtures that situations of several areas share."""

from tests.data.conftest import kept, load

__all__ = ["kept", "load"]
