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
"""Contains every text that is not a `package.module:name` reference."""


def resolve(reference: str, *, kind: str) -> Any:
    """Import the object that `package.module:name` refers to.

    Only called with text that the user typed, never with text from a file: importing runs code.

    Args:
        reference: the text, such as `my_package.spaces:TinySpace`.
        kind: what is expected, such as "space", for messages.

    Raises:
        OptionError: the reference is malformed, the module cannot be imported, or it does not
            define the name.
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
    except Exception as error:  # importing a user's module can raise anything
        raise OptionError(
            f"{kind} {reference!r}: importing it raised {type(error).__name__}: "
            f"{first_line(error)}; fix the module"
        ) from error


def made_by(make: Callable[[], _T], reference: str, *, kind: str, error: type[DiswotError]) -> _T:
    """Call a factory of the user or of another package; turn any exception into one line.

    Args:
        make: the factory, without arguments.
        reference: its name, for the message.
        kind: what it makes, such as "teacher", for the message.
        error: the exception class to raise.

    Raises:
        DiswotError: of the class `error`: the factory raised an exception.
    """
    try:
        return make()
    except Exception as raised:  # a user's callable can raise anything
        raise error(
            f"{kind} {reference}: calling it raised {type(raised).__name__}: "
            f"{first_line(raised)}; fix the callable"
        ) from raised
