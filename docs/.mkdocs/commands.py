"""The page of the command line, generated from the commands as they are declared."""

from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Any

import click

from diswot.cli._main import cli
from diswot.cli.run import run
from diswot.tasks import TASKS

MARK = "<!-- commands -->"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the reference of all commands in its place."""
    if MARK not in markdown:
        return markdown
    return markdown.replace(MARK, "\n\n".join((*_described(cli, ("diswot",)), *_of_tasks())))


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


def _of_tasks() -> Iterator[str]:
    """Yield the options of `diswot run` that only one task has."""
    common = {param.name for param in run.get_params(click.Context(run))}
    yield "## Options of one task"
    for task in TASKS:
        context = run.make_context("run", ["--task", task], resilient_parsing=True)
        own = [param for param in run.get_params(context) if param.name not in common]
        if own:
            yield f"With `--task {task}`:"
            yield from _tables(own, context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Yield a table of the options, or one for each group that they are declared in."""
    yield from _tables(command.get_params(context), context)


def _tables(params: Sequence[click.Parameter], context: click.Context) -> Iterator[str]:
    """Yield a table of each group of options."""
    groups: dict[str, list[str]] = {}
    for option in params:
        if isinstance(option, click.Option) and not option.hidden and "--help" not in option.opts:
            record = option.get_help_record(context)
            flags, text = record or ("", "")
            row = f"| {_code(flags)} | {_cell(text)} |"
            groups.setdefault(getattr(option, "group", "") or "", []).append(row)
    for group, rows in groups.items():
        head = f"| {group or 'option'} | what it does |\n|---|---|\n"
        yield head + "\n".join(rows)


def _prose(help_text: str) -> str:
    """Return help as Markdown; an example becomes code."""
    text, found, example = cleandoc(help_text.replace("\b", "")).partition("Example: ")
    words, code = text.strip(), " ".join(example.split())
    return f"{words}\n\n```sh\n{code}\n```" if found else words


def _code(flags: str) -> str:
    """Return an option as code, and one with its opposite as two; a | stays in its cell."""
    return " / ".join(f"`{part}`" for part in flags.split(" / "))


def _cell(text: str) -> str:
    """Return a text that stays as it is in the cell of a table."""
    words = " ".join(text.split())
    return words.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
