"""What installed packages add by entry points, imported when it is used."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from diswot.errors import PluginError, first_line


@cache
def offered(group: str) -> Mapping[str, EntryPoint]:
    """Return what installed packages offer in a group of entry points, by name; imports nothing."""
    return {entry.name: entry for entry in entry_points(group=group)}


def load(entry: EntryPoint) -> Any:
    """Import what an installed package offers.

    Raises:
        PluginError: the import fails.
    """
    try:
        return entry.load()
    except Exception as error:  # what an installed package does when it is imported is its own
        owner = f" of the package {entry.dist.name}" if entry.dist else ""
        raise PluginError(
            f"the plugin {entry.name} ({entry.value}){owner} cannot be imported "
            f"({type(error).__name__}: {first_line(error)}): update or uninstall that package"
        ) from error
