"""Fixtures of command-line tests: quick runs, checks of one-line errors, damaged files."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

import diswot
from tests.cli.faulty import Small
from tests.conftest import CommandLine, Outcome

Damage = Callable[[Path], object]
Refused = Callable[..., str]

SPACE = "tests.cli.faulty:Small"

# The smallest possible search, with networks of a few dozen parameters.
QUICK = (
    *("--teacher", "resnet20", "--space", SPACE),
    *("--population", "2", "--generations", "1", "--repeats", "1", "--batch-size", "8"),
)

ONE_EPOCH = ("--epochs", "1", "--teacher-epochs", "1", "--force")
COMMANDS = [("search",), ("run", "--no-onnx"), ("score", "1-1-1"), ("distill", "--arch", "1-1-1")]


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of a finished search; tests must not change it."""
    folder = tmp_path_factory.mktemp("searched") / "run"
    diswot.search(
        "resnet20",
        Small(),
        population=2,
        generations=1,
        repeats=1,
        batch_size=8,
        out=folder,
        device="cpu",
    )
    return folder


@pytest.fixture
def run_folder(searched: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run that a test may damage."""
    return Path(shutil.copytree(searched, tmp_path / "run"))


def tree(folder: Path) -> set[Path]:
    """Return all paths below `folder`."""
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


def only_line(outcome: Outcome, code: int = 2) -> str:
    """Check that the output is one line on standard error, and return it."""
    assert outcome.err.count("\n") == 1, outcome.err
    assert outcome.err.startswith("diswot: ")
    assert "Traceback" not in outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    return outcome.err


@pytest.fixture
def refused(cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Return a function that runs a command, checks that it is refused, and returns the message."""
    monkeypatch.setattr("diswot.bars.SECONDS_WORTH_A_LINE", 60)  # this machine may be busy

    def run(*arguments: str | Path) -> str:
        before = tree(tmp_path)
        line = only_line(cli(*arguments))
        assert tree(tmp_path) == before, "something was left behind"
        return line

    return run


class Hostile:
    """Creates a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._marker,)


def make_a_folder_of(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Change a few bytes and cut off the end."""
    broken = bytearray(content)
    for _ in range(draw(st.integers(0, 3))):
        broken[draw(st.integers(0, len(broken) - 1))] = draw(st.integers(0, 255))
    return bytes(broken[: draw(st.integers(0, len(broken)) | st.just(len(broken)))])
