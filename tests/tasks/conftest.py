"""What tests of several tasks share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CommandLine


@pytest.fixture
def check_refused(cli: CommandLine, tmp_path: Path) -> Callable[..., None]:
    """Return a function that makes sure that `diswot run` with options fails before it starts."""

    def check(*arguments: str, words: str) -> None:
        refused = cli("run", *arguments, "--out", "run")
        assert refused.code == 2
        assert words in refused.err
        assert refused.err.count("\n") <= 2
        assert not (tmp_path / "run").exists()

    return check
