"""Fixtures of tests that train: a data root that caches trained teachers."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data root in which tests share the teachers that they train."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def data_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the shared folder as the data root."""
    monkeypatch.setenv("DISWOT_DATA", str(root))
    return root
