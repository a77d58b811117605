"""A test that starts a process without the mark `processes` fails."""

from pathlib import Path

import pytest

from tests.marks import Marks

STARTS = {
    "subprocess": "import subprocess, sys\n"
    "{mark}def test_it():\n    subprocess.run([sys.executable, '-V'])\n",
    "multiprocessing": "import multiprocessing, os\n"
    "{mark}def test_it():\n"
    "    process = multiprocessing.get_context('fork').Process(target=os.getpid)\n"
    "    process.start()\n"
    "    process.join()\n",
    "fixture": "import pytest, subprocess, sys\n"
    "@pytest.fixture\ndef version():\n    subprocess.run([sys.executable, '-V'])\n"
    "{mark}def test_it(version): ...\n",
}


@pytest.mark.processes
@pytest.mark.parametrize("code", STARTS.values(), ids=STARTS)
def test_a_test_that_starts_a_process_must_be_marked(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_unmarked.py").write_text(code.format(mark=""))
    marked = code.format(mark="@pytest.mark.processes\n")
    (tmp_path / "test_marked.py").write_text(f"import pytest\n{marked}")
    options = ["-c", "/dev/null", "-p", "no:cacheprovider", "--import-mode=importlib", "-q"]
    ended = pytest.main([str(tmp_path), *options], plugins=[Marks()])
    printed = capsys.readouterr().out
    assert ended == pytest.ExitCode.TESTS_FAILED, printed
    assert "2 passed, 1 error" in printed
    assert "at teardown of test_it" in printed
    assert "starts processes, so it needs `pytest.mark.processes`" in printed
    assert printed.count("test_unmarked.py::test_it") == 1
