"""Only regular files are opened for paths that users give."""

import os
import socket
from pathlib import Path

import pytest

from diswot.errors import DiswotError
from diswot.files import irregular, open_file, read_file
from diswot.latency import read_operator_table
from tests.conftest import CommandLine


@pytest.fixture(params=["a named pipe", "a socket", "a device", "a folder"])
def other(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path of every file type that is not a regular file."""
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    path = Path("other.png")
    if request.param == "a named pipe":
        os.mkfifo(path)
    elif request.param == "a socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    elif request.param == "a device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    assert irregular(path) == request.param
    return path


def test_files_that_are_not_regular_are_refused(other: Path) -> None:
    with pytest.raises(OSError, match=r"it is a .*, not a file: 'other.png'"):
        open_file(other)


def test_a_link_to_a_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link") == b"content"
    assert irregular(tmp_path / "link") is None


def test_a_file_larger_than_expected_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"123456")
    assert read_file(tmp_path / "file", at_most=6) == b"123456"
    with pytest.raises(OSError, match="more than 5 bytes"):
        read_file(tmp_path / "file", at_most=5)


def test_a_missing_file_is_a_file_not_found_error(tmp_path: Path) -> None:
    assert irregular(tmp_path / "none") is None
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "none")


def test_a_calibration_that_is_not_a_file_is_refused(other: Path) -> None:
    with pytest.raises(DiswotError, match=r"cannot be read \(it is a "):
        read_operator_table(other)


@pytest.mark.parametrize(
    "options",
    [
        ("--data", "pipe"),
        ("--teacher-weights", "pipe"),
        ("--teacher", "hf:pipe"),
        ("--teacher", "hf:folder"),
        ("--data", "cifar10"),
    ],
    ids=" ".join,
)
def test_a_pipe_named_in_an_option_is_refused(
    cli: CommandLine, tmp_path: Path, options: tuple[str, str]
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "config.json")
    batches = tmp_path / "data" / "cifar-10-batches-py"
    batches.mkdir()
    os.mkfifo(batches / "data_batch_1")
    outcome = cli("score", "1-1-1", "--space", "s0", *options)
    assert outcome.code == 2
    *_, line = outcome.err.splitlines()
    assert line.startswith("diswot: ")
    if options != ("--teacher", "hf:pipe"):
        assert "a named pipe" in line
