"""Plugins of installed packages (entry points), imported on first use."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from diswot.errors import PluginError, first_line


@cache
def offered(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name, without importing any of them."""
    return {entry.name: entry for entry in entry_points(group=group)}


def load(entry: EntryPoint) -> Any:
    """Import the object of an entry point.

    Raises:
        PluginError: the import fails.
    """
    try:
        return entry.load()
    except Exception as error:  # importing a package can raise anything
        owner = f" of the package {entry.dist.name}" if entry.dist else ""
        raise PluginError(
            f"the plugin {entry.name} ({entry.value}){owner} cannot be imported "
            f"({type(error).__name__}: {first_line(error)}): update or uninstall that package"
        ) from error
