"""Look-up by name: built-in, registered at run time, or offered by installed packages.

Plugins are imported on first use. A package that cannot be imported makes only its own names
unavailable: listing all names warns, using one of its names raises.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from diswot import plugins
from diswot.errors import OptionError, PluginError, PluginWarning, UnknownNameError
from diswot.references import is_reference, resolve

T = TypeVar("T")


def instance_of(base: type[Any], kind: str, group: str) -> Callable[[str, Any], Any]:
    """Return an `adopt` function for `Registry` that accepts instances and subclasses of `base`.

    Subclasses are instantiated without arguments.

    Args:
        base: the required class, which the package `group` exports.
        kind: what the entries are called in messages, such as "task".
        group: the entry-point group of plugins, such as `diswot.tasks`.
    """

    def adopt(name: str, found: Any) -> Any:
        if isinstance(found, type) and issubclass(found, base):
            return found()
        if isinstance(found, base):
            return found
        raise OptionError(
            f"{kind} {name!r} is {found!r}, which is no {group}.{base.__name__}: name a class"
        )

    return adopt


class Registry(Mapping[str, T], Generic[T]):
    """A mapping from names to entries of one kind (spaces, scorers, tasks, …).

    Args:
        kind: what the entries are called in messages, such as "space".
        group: the entry-point group in which packages offer them, such as `diswot.spaces`.
        built_in: entries that always exist; with `adopt` also as a `package.module:name` text,
            which is imported on first use.
        adopt: (name, imported object) → the entry; checks what a plugin or reference provides.
            Without it, a plugin's module calls `register` when it is imported.

    Examples:
        >>> greetings = Registry("greeting", "an.example", {"short": "Hi", "long": "Good day"})
        >>> greetings.find("short"), "sort" in greetings, list(greetings)
        ('Hi', False, ['short', 'long'])
        >>> greetings.find("sort")
        Traceback (most recent call last):
        diswot.errors.UnknownNameError: unknown greeting 'sort': did you mean 'short'?
    """

    def __init__(
        self,
        kind: str,
        group: str,
        built_in: Mapping[str, Any] | None = None,
        *,
        adopt: Callable[[str, Any], T] | None = None,
    ) -> None:
        self._kind = kind
        self._group = group
        self._things: dict[str, T] = {}
        self._built_in: dict[str, Any] = dict(built_in or {})
        self._adopt = adopt
        self._loaded: set[str] = set()

    def register(self, name: str, thing: T) -> None:
        """Add an entry, or replace the one with the same name."""
        self._things[name] = thing

    def registered(self) -> tuple[T, ...]:
        """Return the entries that are in memory so far; imports nothing."""
        return tuple(self._things.values())

    def find(self, name: str, *, also: str = "") -> T:
        """Return the entry with a name.

        Args:
            name: a built-in, registered or plugin name.
            also: another accepted form, appended to the error message.

        Raises:
            UnknownNameError: there is no such entry; the message suggests the nearest name.
            PluginError: the package that offers it cannot be imported.
        """
        self.check(name, also=also)
        return self[name]

    def named(self, name: str) -> T:
        """Return the entry with a name, or import it from `package.module:Class`.

        Args:
            name: a name, or a reference if the registry has an `adopt` function.

        Raises:
            UnknownNameError: there is no such entry; the message suggests the nearest name.
            OptionError: the reference cannot be imported, or is not an entry of this kind.
            PluginError: the package that offers the name cannot be imported.
        """
        if self._adopt is not None and is_reference(name):
            return self._adopt(name, resolve(name, kind=self._kind))
        return self.find(name, also=" (or give package.module:Class)")

    def check(self, name: str, *, also: str = "") -> None:
        """Make sure that an entry with a name exists, without importing it.

        Args:
            name: a built-in, registered or plugin name.
            also: another accepted form, appended to the error message.

        Raises:
            UnknownNameError: there is no such entry; the message suggests the nearest name.
        """
        if name not in self:
            raise UnknownNameError(self._kind, name, self, also=also)

    def __contains__(self, name: object) -> bool:
        if name in self._things or name in self._built_in:
            return True
        if self._adopt is not None:
            return name in plugins.offered(self._group)
        self._load_all()
        return name in self._things

    def __getitem__(self, name: str) -> T:
        if name not in self:
            raise KeyError(name)
        if name not in self._things:
            self._load(name)
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        self._load_all()
        return iter({**self._built_in, **self._things})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, name: str) -> None:
        """Import the entry with a name and keep it."""
        if name in self._built_in:
            found = self._built_in[name]
            if self._adopt is not None and isinstance(found, str):
                found = self._adopt(name, resolve(found, kind=self._kind))
            self._things[name] = found
            return
        found = plugins.load(plugins.offered(self._group)[name])
        if self._adopt is not None:
            self._things[name] = self._adopt(name, found)

    def _load_all(self) -> None:
        """Import all plugins, once; warn about those that cannot be imported."""
        for name in plugins.offered(self._group):
            if name in self._loaded or (self._adopt and name in {*self._things, *self._built_in}):
                continue
            self._loaded.add(name)  # before the import: a plugin may iterate over the registry
            try:
                self._load(name)
            except PluginError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
