"""Command-line options made from the declarations of `diswot.options`."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from diswot.cli._numbers import Real, Whole
from diswot.options import Declared, declared

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_F = TypeVar("_F", bound=Callable[..., Any])


class Grouped(click.Option):
    """A click option with a help group.

    Args:
        group: heading in the help.
        essential: whether `--help` lists it; `--help-all` lists all.
        **other: arguments of `click.Option`.
    """

    def __init__(
        self, *args: Any, group: str = "Run", essential: bool = True, **other: Any
    ) -> None:
        super().__init__(*args, **other)
        self.group = group
        self.essential = essential

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the values that a shell proposes, also for options with names of ours."""
        # Imported here: only shells need them.
        from click.shell_completion import CompletionItem

        from diswot.cli._completion import completed

        chosen = isinstance(self.type, click.Choice)
        names = None if chosen else completed(ctx, self.name or "", incomplete)
        if names is None:
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name) for name in names]


def names(_context: click.Context, _option: click.Parameter, value: str | None) -> Any:
    """Split a value at commas; an option callback."""
    return None if value is None else tuple(map(str.strip, value.split(",")))


def option(kind: type, name: str, **other: Any) -> Callable[[_F], _F]:
    """Return the click decorator of an option that is declared in `diswot.options`.

    Args:
        kind: the `TypedDict` that declares it.
        name: key in `kind`, with underscores; the flag has hyphens.
        **other: overrides of the declaration, such as `help` or `default`.
    """
    result = declared(kind)[name]
    flag = "--" + name.replace("_", "-")
    chosen: dict[str, Any] = {"help": result.option.help, **_type(result)}
    chosen |= {"group": result.option.group, "essential": result.option.essential}
    if result.kind is bool:
        negated = result.optional or result.option.default
        flag = f"{flag}/--no-{name.replace('_', '-')}" if negated else flag
        chosen |= {"default": result.option.default, "is_flag": True}
    elif result.option.default is not None:
        chosen |= {"default": result.option.default, "show_default": True}
    return flagged(flag, **chosen | other)


def flagged(*flags: str, **attributes: Any) -> Callable[[_F], _F]:
    """Return the click decorator of an option that is not declared in `diswot.options`.

    Args:
        *flags: names such as `--out`.
        **attributes: arguments of `click.option`, and `group` and `essential` of `Grouped`.
    """
    return click.option(*flags, cls=Grouped, **attributes)


def options_declared_by(kind: type, *, without: Container[str | None]) -> list[click.Parameter]:
    """Return all options of a `TypedDict` except those whose names are in `without`."""
    command = click.Command("options")
    for name in declared(kind):
        if name not in without:
            display = {"group": "Task", "essential": True, "default": None, "show_default": False}
            option(kind, name, **display)(command)
    return command.params


def _type(found: Declared) -> dict[str, Any]:
    limits = found.option
    if limits.choices:
        return {"type": click.Choice(limits.choices)}
    if found.kind is int:
        return {"type": Whole(_whole(limits.least), _whole(limits.most))}
    if found.kind is float:
        low = limits.least if limits.above is None else limits.above
        high = limits.most if limits.below is None else limits.below
        opened = {"min_open": limits.above is not None, "max_open": limits.below is not None}
        return {"type": Real(min=low, max=high, **opened)}
    return {}


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


class Folder(click.Path):
    """Parameter type of output folders and files: a path that is not empty."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not str(value).strip():
            self.fail("expected the name of a folder, but got nothing", param, ctx)
        return super().convert(value, param, ctx)
