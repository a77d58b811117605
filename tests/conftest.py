"""Shared fixtures: the reference data, and the command line in this process."""

import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest
import torch
from hypothesis import settings

from diswot.cli import main
from diswot.export import _process
from diswot.export._process import Base, Runner
from tests.marks import Marks

# One profile for all property tests: deterministic examples, no database in the checkout.
settings.register_profile("diswot", deadline=None, derandomize=True, database=None, max_examples=50)
settings.load_profile("diswot")

# Starting processes takes longer than small searches; tests of workers enable them.
os.environ["DISWOT_WORKERS"] = "1"

# Threads do not help the processes that tests start, either; they share compiled bytecode.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# So do the tests, except for modules that tests write, which may change within a second.
NO_BYTECODE, sys.dont_write_bytecode = sys.dont_write_bytecode, False

# The networks are so small that more threads only slow each other down.
torch.set_num_threads(1)

# Background processes of a shell ignore Ctrl-C, and so do their children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin that detects tests that start processes."""
    config.pluginmanager.register(Marks())


def pytest_collection_finish() -> None:
    """Exclude imported objects from later garbage collection, and stop writing bytecode."""
    sys.dont_write_bytecode = NO_BYTECODE
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    """The result of a command: exit status, standard output and standard error."""

    code: int
    out: str
    err: str


CommandLine: TypeAlias = Callable[..., Outcome]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of reference data next to the checkout."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the reference data is not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def idle_bases() -> Iterator[list[Base]]:
    """Return processes that have imported torch and wait for an export."""
    idle: list[Base] = []
    yield idle
    for base in idle:
        base.stop()


@pytest.fixture(scope="module", autouse=True)
def shared_base(idle_bases: list[Base]) -> Iterator[None]:
    """Run the forms of all exports in forks of one process, so that it imports torch once."""

    def release(runner: Runner, *_: object) -> None:
        if runner._base is not None:
            idle_bases.append(runner._base)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_process, "Base", lambda: idle_bases.pop() if idle_bases else Base())
        patch.setattr(Runner, "__exit__", release)
        yield


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> CommandLine:
    """Return a function that runs a command line in `tmp_path`, with its data root there too."""
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISWOT_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])  # `main` adds the current folder to it

    def run(*arguments: str | int | Path) -> Outcome:
        code = 0
        capsys.readouterr()
        # pytest captures warnings; users see them as lines on standard error.
        with warnings.catch_warnings(record=True) as warned:
            for quiet in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning):
                warnings.simplefilter("ignore", quiet)
            try:
                main([str(argument) for argument in arguments])
            except SystemExit as ending:
                code = int(ending.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err + "".join(f"warning: {each.message}\n" for each in warned))

    return run
