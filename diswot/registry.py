"""Things that are found by name: built-in, registered, or offered by installed packages.

What packages offer is imported when it is used. A package that cannot be imported costs its
own names alone: a warning where everything is looked through, an error where it was asked for.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from diswot import plugins
from diswot.errors import OptionError, PluginError, PluginWarning, UnknownNameError
from diswot.references import is_reference, resolve

T = TypeVar("T")


def instance_of(base: type[Any], kind: str, group: str) -> Callable[[str, Any], Any]:
    """Return what `Registry` adopts things with that are instances of a class, or name one.

    Args:
        base: the class, which its package `group` exports.
        kind: what the things are called in messages.
        group: the entry points by which packages offer them.
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
    """Things of one kind by name.

    Args:
        kind: what they are called in messages.
        group: the entry points by which packages offer them.
        built_in: those that are always there; with `adopt`, also as `package.module:name`,
            imported when it is used.
        adopt: (name, what an entry point or a built-in reference names) → the thing; without
            it, what entry points name registers things when it is imported.

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
        """Add a thing, or put it in the place of one with its name."""
        self._things[name] = thing

    def registered(self) -> tuple[T, ...]:
        """Return what is registered so far; imports nothing."""
        return tuple(self._things.values())

    def find(self, name: str, *, also: str = "") -> T:
        """Return the thing of a name.

        Args:
            name: of the thing.
            also: what else could be given, for the message.

        Raises:
            UnknownNameError: there is none, with the nearest name.
            PluginError: the package that offers it cannot be imported.
        """
        self.check(name, also=also)
        return self[name]

    def named(self, name: str) -> T:
        """Return the thing of a name, or the one at `package.module:Class`.

        Raises:
            UnknownNameError: there is none, with the nearest name.
            OptionError: it is of another kind.
            PluginError: the package that offers it cannot be imported.
        """
        if self._adopt is not None and is_reference(name):
            return self._adopt(name, resolve(name, kind=self._kind))
        return self.find(name, also=" (or give package.module:Class)")

    def check(self, name: str, *, also: str = "") -> None:
        """Make sure that there is a thing of a name; imports nothing where there is.

        Args:
            name: of the thing.
            also: what else could be given, for the message.

        Raises:
            UnknownNameError: there is none, with the nearest name.
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
        """Import what stands behind a name, once."""
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
        """Import everything that packages offer, once; warn of what cannot be."""
        for name in plugins.offered(self._group):
            if name in self._loaded or (self._adopt and name in {*self._things, *self._built_in}):
                continue
            self._loaded.add(name)  # first: a package may look through the registry itself
            try:
                self._load(name)
            except PluginError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
