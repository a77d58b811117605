"""The page of the command line, generated from the commands as they are declared."""

from collections.abc import Iterator, Sequence
from typing import Any

import click

from diswot.cli._main import cli

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the reference of all commands in its place."""
    if MARK not in markdown:
        return markdown
    return markdown.replace(MARK, "\n\n".join(_described(cli, ("diswot",))))


def _described(command: click.Command, path: Sequence[str]) -> Iterator[str]:
    """Yield the parts of a command's section, and those of its subcommands."""
    context = click.Context(command, info_name=path[-1])
    if len(path) > 1:
        yield f"{'#' * len(path)} {' '.join(path)}"
        yield _prose(command.help or "")
        arguments = " ".join(command.collect_usage_pieces(context))
        yield f"```text\n{' '.join(path)} {arguments}\n```"
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from _described(found, (*path, name))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a table of the options, or one for each group that they are declared in."""
    groups: dict[str, list[str]] = {}
    for option in command.get_params(context):
        if isinstance(option, click.Option) and not option.hidden and option.name != "help":
            record = option.get_help_record(context)
            flags, text = record or ("", "")
            row = f"| {_code(flags)} | {_cell(text)} |"
            groups.setdefault(getattr(option, "group", "") or "", []).append(row)
    for group, rows in groups.items():
        head = f"| {group or 'option'} | what it does |\n|---|---|\n"
        yield head + "\n".join(rows)


def _prose(help_text: str) -> str:
    """Return help as Markdown; an example becomes code."""
    text, found, example = help_text.partition("Example: ")
    words = " ".join(text.replace("\b", "").split(" ")).strip()
    code = " ".join(example.split())
    return f"{words}\n\n```sh\n{code}\n```" if found else words


def _code(flags: str) -> str:
    name, _, kind = flags.partition(" ")
    parts = flags.split(" / ") if " / " in flags else [flags]
    shown = " / ".join(f"`{part}`" for part in parts) if kind else f"`{name}`"
    return shown.replace("|", "\\|")


def _cell(text: str) -> str:
    words = " ".join(text.split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
