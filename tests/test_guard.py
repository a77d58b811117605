"""Scripts that start workers need an `if __name__ == "__main__":` guard."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ADVICE = 'put the call under `if __name__ == "__main__":`, or use workers=1'
HEAD = """
from diswot.options import takes_options

@takes_options
def work(*, workers=1):
    print("worked")

"""
IN_A_FUNCTION = "def main():\n    work(workers=2)\n\nfor _ in range(1):\n    main()\n"
REFUSED = {
    "plain": "work(workers=2)\n",
    "in a function": IN_A_FUNCTION,
    "in try": "try:\n    work(workers=2)\nfinally:\n    pass\n",
    "a guard that comes later": "work(workers=2)\nif __name__ == '__main__':\n    pass\n",
}
TAKEN = {
    "guarded": "if __name__ == '__main__':\n    work(workers=2)\n",
    "guarded twice": "if __name__ == '__main__':\n    if work:\n        work(workers=2)\n",
    "left before": "import sys\nif __name__ != '__main__':\n    sys.exit()\nwork(workers=2)\n",
    "by the process": "from multiprocessing import parent_process\n"
    "if parent_process() is None:\n    work(workers=2)\n",
    "one worker": "work(workers=1)\n",
}


def ended(folder: Path, script: str, *options: str) -> "subprocess.CompletedProcess[str]":
    (folder / "script.py").write_text(script)
    command = [sys.executable, *(options or ("script.py",))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("options", [(), ("-m", "script")], ids=["file", "module"])
def test_a_call_without_a_guard_is_refused(
    tmp_path: Path, script: str, options: tuple[str, ...]
) -> None:
    process = ended(tmp_path, HEAD + script, *options)
    assert process.returncode == 1
    assert process.stderr.count("Traceback") == 1
    assert process.stderr.splitlines()[-1].endswith(ADVICE)
    assert process.stdout == ""


@pytest.mark.parametrize("script", TAKEN.values(), ids=TAKEN)
def test_a_call_with_a_guard_is_accepted(tmp_path: Path, script: str) -> None:
    assert ended(tmp_path, HEAD + script).stdout == "worked\n"


def test_code_without_a_file_needs_no_guard(tmp_path: Path) -> None:
    assert ended(tmp_path, "", "-c", HEAD + "work(workers=2)").stdout == "worked\n"


def test_another_condition_is_not_a_guard(tmp_path: Path) -> None:
    process = ended(
        tmp_path,
        "import diswot\n"
        "if diswot:\n"
        "    diswot.search('resnet20', population=2, generations=0, repeats=1, batch_size=8,\n"
        "                  scorer='params', workers=2)\n",
    )
    assert process.returncode == 1
    assert process.stderr.count("Traceback") == 1
    assert process.stderr.splitlines()[-1].endswith(ADVICE)
