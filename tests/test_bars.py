"""Progress bars from Python: on terminals and in notebooks only."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import diswot

pytestmark = pytest.mark.processes

pty = pytest.importorskip("pty")

QUICK: dict[str, Any] = {
    "scorer": "params",
    "population": 2,
    "generations": 0,
    "repeats": 1,
    "batch_size": 8,
}
SCRIPT = f"""
import sys
import diswot
diswot.search("resnet20", **{QUICK}, progress=False)
print("then", file=sys.stderr)
diswot.search("resnet20", **{QUICK})
"""
NOTEBOOK = """
import sys
from types import SimpleNamespace
from diswot.bars import can_be_drawn
class {shell}: pass
sys.modules["IPython"] = SimpleNamespace(get_ipython={shell})
sys.modules["ipykernel"] = SimpleNamespace()
print(can_be_drawn())
"""


def seen_on_a_terminal(folder: Path, script: str) -> str:
    """Return the output of a script on a terminal as its standard error."""
    reader, writer = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, stderr=writer, stdout=subprocess.PIPE
    ) as process:
        os.close(writer)
        seen = b""
        while True:
            try:
                part = os.read(reader, 4096)
            except OSError:  # raised by Linux when the other side is closed
                break
            if not part:
                break
            seen += part
    os.close(reader)
    assert process.returncode == 0, seen
    return seen.decode()


def test_bars_are_drawn_on_a_terminal_if_enabled(tmp_path: Path) -> None:
    unwanted, then, wanted = seen_on_a_terminal(tmp_path, SCRIPT).partition("then")
    assert (unwanted, then) == ("", "then")
    assert "score" in wanted
    assert "5/5" in wanted


def test_no_bars_are_written_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    diswot.search("resnet20", **QUICK)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["ZMQInteractiveShell", "TerminalInteractiveShell"])
def test_bars_are_drawn_in_a_notebook(shell: str) -> None:
    command = [sys.executable, "-c", NOTEBOOK.format(shell=shell)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == str(shell.startswith("ZMQ"))
