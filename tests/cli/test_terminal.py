"""Terminals of all widths and encodings: no truncated number, traceback or control character."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from diswot.cli import print_table
from diswot.cli._layout import Layout, fold, pieces
from diswot.printable import printable
from tests.cli.conftest import SPACE
from tests.conftest import CommandLine
from tests.forked import run_programs

NUMBERS = st.builds(
    lambda value, form: format(value, form),
    st.floats(-1e9, 1e9, allow_nan=False),
    st.sampled_from([".4f", ",.0f", ".2e", ".3g"]),
) | st.sampled_from(["1,088", "0.758 … 0.91", "83.1 ± 0.4", "0.9/1.2/3.45", "–", "", "failed"])
NAMES = st.sampled_from(
    ["3-1-5", "|nor_conv_3x3~0|+|none~0|skip_connect~1|", "a teacher of 1,088 words", "", "nwot"]
)
HEADS = ("name", "Kendall τ", "regret 1/5/10", "ms", "architecture", "τ | params", "what it is")


@st.composite
def tables(draw: st.DrawFn) -> Layout:
    words = draw(st.lists(st.booleans(), min_size=1, max_size=9))
    heads = [draw(st.sampled_from(HEADS)) for _ in words]
    cells = [NAMES if each else NUMBERS for each in words]
    rows = draw(st.lists(st.tuples(*cells), max_size=4))
    return Layout(heads, rows, words)


def numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d.,e+\-]*\d|\d", text)


@given(tables(), st.sampled_from([20, 40, 80, 130, None]))
@example(Layout(["name", "ms"], [["diswot", "1,088"], ["", "0.758"]], [True, False]), 20)
def test_tables_never_truncate_a_number_at_any_width(table: Layout, width: int | None) -> None:
    lines = table.lines(width)
    text = " ".join(lines)
    for row in table.rows:
        for cell in row:
            for number in numbers(cell):
                assert re.search(rf"(?<!\d){re.escape(number)}(?!\d)", text)
    for head, *cells in list(zip(table.columns, *table.rows, strict=True))[1:]:
        if any(cells):
            assert all(piece.strip() in text for piece in pieces(head))


@given(tables(), st.sampled_from([40, 80, 130]))
def test_tables_fit_the_width_unless_a_cell_is_wider(table: Layout, width: int) -> None:
    assert max(map(len, table.lines(width)), default=0) <= width


@given(NAMES | NUMBERS, st.integers(1, 100))
def test_folding_only_inserts_line_breaks(text: str, width: int) -> None:
    assert "".join(fold(text, width)).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("columns", ["40", "80", "130", None])
def test_a_table_is_complete_at_every_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: str | None
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    row = ["student_fit", "0.97", "0.94 … 0.99", "0.758", "1.2/3.4/5.6", "0.123", "1,088"]
    print_table("Ranks", ["name", "τ", "95 %", "Spearman", "regret 1/5/10", "nDCG", "ms"], [row])
    out = capsys.readouterr().out
    for cell in row:
        assert cell in out
    assert max(map(len, out.splitlines())) <= int(columns or 200)


ASCII = {"PYTHONIOENCODING": "ascii"}
LATIN = {"PYTHONIOENCODING": "latin-1"}
LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SCORE = ("score", "width=2", "--space", SPACE, "--teacher", "resnet20", "--repeats", "2")
COMMANDS = (
    ("list", "losses"),
    ("run", "--help"),
    (*SCORE, "--batch-size", "8"),
    ("search", "--teacher", "×–é†"),
)


@pytest.mark.processes
@pytest.mark.parametrize("terminal", [ASCII, LATIN, LOCALE], ids=["ascii", "latin-1", "C"])
def test_terminals_without_unicode_get_ascii_signs(
    tmp_path: Path, terminal: dict[str, str]
) -> None:
    variables = terminal | {"PYTHONPATH": str(Path(__file__).parents[2])}
    programs = [("-m", "diswot", *command) for command in COMMANDS]
    ended = run_programs(programs, imports="torch", folder=tmp_path, at_the_start=variables)
    for command, done in zip(COMMANDS, ended, strict=True):
        assert b"Traceback" not in done.err
        assert done.status == (2 if "×–é†" in command else 0), done.err
        text = (done.out + done.err).decode("latin-1" if terminal is LATIN else "ascii")
        if (terminal, command[0]) != (LOCALE, "search"):  # with this locale, arguments are bytes
            assert not re.search(r"\\u[0-9a-f]{4}", text)
        expected = {"list": "(DisWOT+)", "run": "10k", "score": "sd", "search": "unknown teacher"}
        assert expected[command[0]] in text
        if command[0] == "score":
            assert (" ± sd" if terminal is LATIN else " +/- sd") in text


@pytest.mark.processes
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_progress_bars_work_without_unicode(encoding: str) -> None:
    pytest.importorskip("pty")
    import pty

    ask = (
        "from diswot.cli._terminal import make_readable; import sys; make_readable(sys.stderr);"
        "from diswot.cli import displayed_progress; from diswot.progress import Step\n"
        "with displayed_progress() as report:\n"
        "    report(Step('train', 1, 2, 'accuracy – 5 ± 1 …'))\n"
        "    report(Step('data', 0, 0, 'a file \\x1b[2Jx'))\n"
    )
    parent, child = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=os.environ | {"PYTHONIOENCODING": encoding, "TERM": "xterm", "COLUMNS": "120"},
        stderr=child,
        check=False,
    )
    os.close(child)
    printed = os.read(parent, 100_000)
    assert done.returncode == 0
    assert b"Traceback" not in printed
    assert b"\x1b[2Jx" not in printed
    assert b"\\x1b[2Jx" in printed
    assert b"accuracy - 5" in printed


@given(st.text(st.characters()))
@example("\x1b[2J\x9b31m\u202eabc\u2066\r\x7f\x00\udcff")
def test_control_characters_are_never_printed(text: str) -> None:
    printed = printable(text)
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", printed
    )
    assert printable(printed) == printed


def test_control_characters_of_file_names_are_escaped(cli: CommandLine, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(6):
            image = Image.new("RGB", (16, 16), (number * 9, number, number))
            image.save(tmp_path / "images" / name / f"{number}.png")
    (tmp_path / "images" / "a" / "\x1b[2Jx.png").write_text("broken")
    scored = cli("score", "1-1-1", "--scorer", "params", "--batch-size", 4, "--data", "./images")
    assert "\x1b" not in scored.err + scored.out
    assert "\\x1b[2Jx.png" in scored.err
    for arguments in (
        ("score", "1-1-1", "--data", "/nonexistent/\x1b[31mred"),
        ("score", "1-1-1", "--teacher", "\x1b[31m\u202ered"),
        ("search", "--engine", "\x9b31m"),
        ("\x1b[31m",),
        ("--debug", "resume", "\x1b[31mfolder"),
        ("search", "--\x1b[31m"),
    ):
        refused = cli(*arguments)
        assert refused.code == 2
        assert not re.search("[\x1b\x9b\u202e]", refused.err + refused.out)
        assert re.search(r"\\x1b|\\x9b", refused.err)


def test_brackets_in_names_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("[red]Title", ["name", "ms"], [["[bold]x[/]", "1"]], caption="[i]caption[/]")
    out = capsys.readouterr().out
    for text in ("[red]Title", "[bold]x[/]", "[i]caption[/]"):
        assert text in out
