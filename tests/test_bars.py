"""Progress from Python: bars where they can be seen, nothing where not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

pty = pytest.importorskip("pty")

SCRIPT = """
import diswot
options = dict(scorer="params", population=2, generations=0, repeats=1, batch_size=8)
diswot.search("resnet20", **options{progress})
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
    """Return what a script writes on a terminal that is its standard error."""
    reader, writer = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, stderr=writer, stdout=subprocess.PIPE
    ) as process:
        os.close(writer)
        seen = b""
        while True:
            try:
                part = os.read(reader, 4096)
            except OSError:  # Linux says so where the other side is closed
                break
            if not part:
                break
            seen += part
    os.close(reader)
    assert process.returncode == 0, seen
    return seen.decode()


def test_bars_are_drawn_on_a_terminal(tmp_path: Path) -> None:
    seen = seen_on_a_terminal(tmp_path, SCRIPT.format(progress=""))
    assert "score" in seen
    assert "5/5" in seen


def test_no_bars_are_drawn_where_none_are_wanted(tmp_path: Path) -> None:
    assert seen_on_a_terminal(tmp_path, SCRIPT.format(progress=", progress=False")) == ""


def test_nothing_is_written_where_nobody_looks(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT.format(progress="")]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("", "")


@pytest.mark.parametrize("shell", ["ZMQInteractiveShell", "TerminalInteractiveShell"])
def test_bars_are_drawn_in_a_notebook(shell: str) -> None:
    command = [sys.executable, "-c", NOTEBOOK.format(shell=shell)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == str(shell.startswith("ZMQ"))
