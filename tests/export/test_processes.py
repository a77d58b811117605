"""Exported forms run in separate processes, which always end."""

import os
import time
from pathlib import Path

import pytest
import torch

from diswot.errors import ExportError
from diswot.export import FORMATS
from diswot.export._process import Runner

pytestmark = pytest.mark.processes

ADDS = "def load(): return lambda x: x + 1"
NAMES_ITSELF = "import os, torch\ndef load(): return lambda x: torch.tensor(os.getpid())"
IS_KILLED = "import os\ndef load(): os.kill(os.getpid(), 9)"
RAISES = "def load(): raise ValueError('not today')"
RAISES_LATER = "def load(): return lambda x: 1 / 0"


@pytest.fixture(scope="module", autouse=True)
def shared_base() -> None:
    """Let every export start its own process, as outside of tests."""


def test_every_form_runs_in_a_process_that_ends_after_it(tmp_path: Path) -> None:
    (tmp_path / "student.py").write_text(NAMES_ITSELF)
    seen = []
    with Runner(tmp_path, ["x"]) as runner:
        for _ in range(2):
            with runner.process(FORMATS["source"]) as process:
                seen.append(int(process(torch.ones(1))))
                assert process.milliseconds(torch.ones(1)) > 0
                assert alive(seen[-1])
                base = parent_of(seen[-1])
                assert alive(base)
            assert not alive(seen[-1])
    assert not alive(base)
    assert len({*seen, os.getpid()}) == 3


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (IS_KILLED, "no message"),
        (RAISES, "ValueError: not today"),
        (RAISES_LATER, "ZeroDivisionError: division by zero"),
    ],
    ids=["killed", "raises", "raises later"],
)
def test_a_killed_process_is_reported_and_replaced(tmp_path: Path, code: str, words: str) -> None:
    with Runner(tmp_path, ["x"]) as runner:
        (tmp_path / "student.py").write_text(code)
        with (
            pytest.raises(ExportError, match=f"^student.py does not run .*: {words}$"),
            runner.process(FORMATS["source"]) as process,
        ):
            process(torch.ones(1))
        (tmp_path / "student.py").write_text(ADDS)
        with runner.process(FORMATS["source"]) as process:
            assert process(torch.ones(2)).tolist() == [2, 2]


def test_no_process_is_left_after_an_exception(tmp_path: Path) -> None:
    (tmp_path / "student.py").write_text(NAMES_ITSELF)
    seen = []

    def interrupted() -> None:
        with Runner(tmp_path, ["x"]) as runner, runner.process(FORMATS["source"]) as process:
            seen.append(int(process(torch.ones(1))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    deadline = time.monotonic() + 60
    while alive(seen[0]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def parent_of(process: int) -> int:
    """Return the parent of a process."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def alive(process: int) -> bool:
    """Return whether a process is running; a zombie counts as ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
