"""What tests of trainings share: a data root in which trained teachers are kept."""

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data root, where a teacher that one test trains is found by the others."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture
def data_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make it the data root."""
    monkeypatch.setenv("DISWOT_DATA", str(root))
    return root
