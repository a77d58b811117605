"""The declaration of an option, and the check of its values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from diswot.errors import OptionError, UnknownNameError

GROUPS = ("Task", "Budget", "Search", "Training", "Export", "Run")
"""Headings of the help, in order."""


@dataclass(frozen=True)
class Option:
    """The declaration of an option, from which check, flag and help are derived.

    Attributes:
        help: help text of its flag.
        default: default value; `None` if it depends on other options or data.
        least: smallest value.
        most: largest value.
        above: exclusive lower limit.
        below: exclusive upper limit.
        choices: valid names.
        group: heading in the help, one of `GROUPS`.
        essential: whether `--help` lists it; `--help-all` lists all options.
    """

    help: str
    default: Any = None
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    group: str = "Run"
    essential: bool = False


@dataclass(frozen=True)
class Declared:
    """A declared option with its name and type.

    Attributes:
        name: name of the keyword.
        kind: type of its values.
        optional: whether `None` is valid.
        option: the declaration.
    """

    name: str
    kind: Any
    optional: bool
    option: Option

    def checked(self, value: Any) -> Any:
        """Check a value, and convert integers of other types (such as numpy's) to `int`.

        Raises:
            OptionError: it has the wrong type, or is out of range.
            UnknownNameError: it is not one of the choices.
        """
        if value is None and self.optional:
            return None
        if self.option.choices and isinstance(value, str):
            if value not in self.option.choices:
                kind = self.name.replace("_", " ")
                raise UnknownNameError(kind, value, self.option.choices)
            return value
        if self.kind is bool:
            return self._right(value, isinstance(value, bool))
        if self.kind is int:
            whole = isinstance(value, Integral) and not isinstance(value, bool)
            return int(self._right(value, whole and self._in_range(value)))
        if self.kind is float:
            number = isinstance(value, Real) and not isinstance(value, bool)
            return self._right(value, number and math.isfinite(value) and self._in_range(value))
        return self._right(value, self.kind is not str or isinstance(value, str))

    def _right(self, value: Any, right: bool) -> Any:
        if not right:
            raise OptionError(
                f"Expected {self.name.replace('_', ' ')} to be {self.expected}, but got {value!r}"
            )
        return value

    def _in_range(self, value: Any) -> bool:
        option = self.option
        return (
            (option.least is None or value >= option.least)
            and (option.most is None or value <= option.most)
            and (option.above is None or value > option.above)
            and (option.below is None or value < option.below)
        )

    @property
    def expected(self) -> str:
        """Description of valid values."""
        if self.option.choices:
            return f"one of {', '.join(self.option.choices)}"
        what = {bool: "True or False", int: "a whole number", float: "a number"}
        return f"{what.get(self.kind, 'text')} {self._limits()}".strip()

    def _limits(self) -> str:
        option = self.option
        if option.least is not None and option.most is not None:
            return f"from {option.least:,} to {option.most:,}"
        limits = {
            "of at least": option.least,
            "above": option.above,
            "of at most": option.most,
            "below": option.below,
        }
        messages = [f"{words} {limit:,}" for words, limit in limits.items() if limit is not None]
        return " and ".join(messages)


@cache
def declared(kind: type) -> Mapping[str, Declared]:
    """Return the options that a `TypedDict` of annotated types declares, by name.

    Examples:
        >>> from typing import Annotated, TypedDict
        >>> class Sizes(TypedDict, total=False):
        ...     width: Annotated[int, Option("channels", default=8, least=1)]
        >>> declared(Sizes)["width"].checked(0)
        Traceback (most recent call last):
        diswot.errors.OptionError: Expected width to be a whole number of at least 1, but got 0
    """
    hints = get_type_hints(kind, include_extras=True)
    return {name: _declared(name, hint) for name, hint in hints.items()}


def _declared(name: str, hint: Any) -> Declared:
    annotated = get_origin(hint) is Annotated
    option = hint.__metadata__[0] if annotated else Option("")
    kind = hint.__origin__ if annotated else hint
    parts = get_args(kind) if get_origin(kind) in (UnionType, Union) else (kind,)
    kinds = [part for part in parts if part is not NoneType]
    only = kinds[0] if len(kinds) == 1 else Any
    return Declared(name, only, NoneType in parts, option)


def options_of(kind: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Select those options that a `TypedDict` declares."""
    return {name: value for name, value in options.items() if name in declared(kind)}


def filled(kind: type, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options that a `TypedDict` declares: given ones checked, others as default."""
    return {
        name: item.checked(options[name]) if name in options else item.option.default
        for name, item in declared(kind).items()
    }
