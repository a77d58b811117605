"""Commands in the documentation exist, with their options and values."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from diswot.cli._main import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands(page: Path) -> Iterator[str]:
    """Yield the `diswot` commands in the shell blocks of a page."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.search(r"(?:^|/|-m )diswot (.*)", line)
            if found:
                yield found[1].partition(" > ")[0]


CASES = [
    pytest.param(command, id=f"{page.stem}: {command[:40]}")
    for page in PAGES
    for command in commands(page)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with the configuration file that a page uses."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text("max_params = 200_000\n")
    return tmp_path


def parse(words: list[str]) -> None:
    """Parse a command line without running it."""
    found: click.Command = cli
    context = click.Context(cli, info_name="diswot")
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        inner = found.get_command(context, words[0])
        assert inner, f"no command {words[0]}"
        found, words = inner, words[1:]
    options = found.get_params(found.make_context("diswot", list(words), resilient_parsing=True))
    flags = {flag for each in options for flag in (*each.opts, *each.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert not given - flags


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", CASES)
def test_a_documented_command_exists_with_its_options(command: str) -> None:
    parse(shlex.split(command, comments=True))


@pytest.mark.parametrize("command", ["run --max-parameters 3", "serch", "bench paper --truth s0"])
def test_missing_commands_and_options_are_detected(command: str) -> None:
    with pytest.raises(AssertionError):
        parse(command.split())
