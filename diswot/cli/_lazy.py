"""A click group that imports commands when they are used."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import click

from diswot import plugins
from diswot.errors import PluginError


class LazyGroup(click.Group):
    """A group of this package's commands and those that plugins add.

    Args:
        lazy: command name → `package.module:command`.
        added: group of entry points with the plugins' commands.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, str], added: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy
        self._added = plugins.offered(added) if added else {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands without importing them."""
        return sorted({*super().list_commands(ctx), *self._lazy, *self._added})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name in self._lazy:
            return _command(resolve_name(self._lazy[cmd_name]), cmd_name)
        if cmd_name in self._added:
            return _command(plugins.load(self._added[cmd_name]), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each command with its summary; plugins' commands are listed without import."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._line(ctx, name, room)) for name in names])

    def _line(self, ctx: click.Context, name: str, room: int) -> str:
        if name in self._added and name not in self._lazy:
            return f"Added by {self._added[name].value}."
        command = self.get_command(ctx, name)
        return command.get_short_help_str(room) if command else ""


def _command(found: Any, name: str) -> click.Command:
    if not isinstance(found, click.Command):
        raise PluginError(
            f"the command {name} cannot be used (it is a {type(found).__name__}, not a "
            "click.Command): update or uninstall the package that adds it"
        )
    return found
