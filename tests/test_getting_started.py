"""All commands and Python code of the tutorial run in order, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

PAGE = Path(__file__).parents[1] / "docs" / "getting-started.md"
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the output of every block of the page."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "data").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DISWOT_DATA": str(folder / "data"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    return [output(kind, block, folder, environment) for kind, block in BLOCKS]


def output(kind: str, block: str, folder: Path, environment: dict[str, str]) -> str:
    command = ["sh", "-ec", block] if kind == "sh" else [sys.executable, "-c", block]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block}\n{done.stderr}"
    return done.stdout


def test_the_tutorial_ends_with_the_class_of_a_new_photo(outputs: list[str]) -> None:
    assert "predict.py" in BLOCKS[-1][1]
    assert re.fullmatch(r"(china|flower) [\d.]+%\n", outputs[-1])


def test_the_tutorial_prints_a_verdict_and_exported_files(outputs: list[str]) -> None:
    (run,) = (out for (_, block), out in zip(BLOCKS, outputs, strict=True) if "diswot run" in block)
    assert "Verdict" in run
    assert "student.onnx" in run
