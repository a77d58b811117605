"""Python objects that a user names as `package.module:name`."""

import pkgutil
from collections.abc import Callable, Container
from typing import Any, TypeVar

from diswot.errors import DiswotError, OptionError, first_line

_T = TypeVar("_T")


def is_reference(text: str) -> bool:
    """Return whether `text` has the form `package.module:name`."""
    return ":" in text


class _NoCode(Container[str]):
    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and not is_reference(text)


NO_CODE: Container[str] = _NoCode()
"""Texts that name no Python object."""


def resolve(reference: str, *, kind: str) -> Any:
    """Import what `package.module:name` names; only ever called on what the user typed.

    Raises:
        OptionError: the module cannot be imported or has no such name.
    """
    try:
        return pkgutil.resolve_name(reference)
    except ModuleNotFoundError as error:
        raise OptionError(
            f"{kind} {reference!r}: no module {error.name!r} can be imported; "
            "run from its folder, or put that folder on PYTHONPATH"
        ) from error
    except AttributeError as error:
        raise OptionError(f"{kind} {reference!r}: {error}; name something it defines") from error
    except ValueError as error:
        raise OptionError(
            f"{kind} {reference!r}: expected package.module:name, but got a malformed reference"
        ) from error
    except Exception as error:  # what the module does when it is imported is the user's
        raise OptionError(
            f"{kind} {reference!r}: importing it raised {type(error).__name__}: "
            f"{first_line(error)}; fix the module"
        ) from error


def made_by(make: Callable[[], _T], reference: str, *, kind: str, error: type[DiswotError]) -> _T:
    """Return what a callable of the user's or of a package returns.

    Args:
        make: calls it.
        reference: what names it, for messages.
        kind: of what it makes, for messages.
        error: what is raised where it raises anything.
    """
    try:
        return make()
    except Exception as raised:  # what it does is its own
        raise error(
            f"{kind} {reference}: calling it raised {type(raised).__name__}: "
            f"{first_line(raised)}; fix the callable"
        ) from raised
