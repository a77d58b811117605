"""Output folders that cannot be written: a one-line error before anything is computed."""

from pathlib import Path

import pytest

from tests.cli.conftest import ONE_EPOCH, QUICK, SPACE, Refused


@pytest.mark.parametrize(
    "command",
    [
        ("search", *QUICK),
        ("run", *QUICK),
        ("distill", "--arch", "width=2", "--space", SPACE, "--teacher", "resnet20", *ONE_EPOCH),
    ],
    ids=lambda command: command[0],
)
class TestOutputFolder:
    """Invalid output folders are refused before anything is computed."""

    def test_a_folder_that_is_not_empty_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine.txt").write_text("mine")
        assert "not empty" in refused(*command, "--out", tmp_path / "out")

    def test_a_file_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").write_text("mine")
        assert "is a file" in refused(*command, "--out", tmp_path / "out")
        assert (tmp_path / "out").read_text() == "mine"

    def test_a_folder_below_a_file_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "file").write_text("mine")
        assert "cannot be written" in refused(*command, "--out", tmp_path / "file" / "out")

    # Not even root, who may run the tests, can write there.
    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
    def test_a_folder_that_cannot_be_created_is_refused(
        self, refused: Refused, command: tuple[str, ...]
    ) -> None:
        assert "/proc/out" in refused(*command, "--out", "/proc/out")

    def test_a_name_that_is_too_long_is_refused(
        self, refused: Refused, command: tuple[str, ...]
    ) -> None:
        assert "xxx" in refused(*command, "--out", "x" * 300)

    def test_a_broken_link_is_refused(
        self, refused: Refused, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        (tmp_path / "out").symlink_to(tmp_path / "nowhere")
        assert "out" in refused(*command, "--out", tmp_path / "out")
