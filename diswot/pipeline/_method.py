"""The method of a run and its own options."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from diswot.methods import RunMethod, find_method
from diswot.options import Declared, declared, filled, options_of, takes_options
from diswot.tasks import own_options

_F = TypeVar("_F", bound=Callable[..., Any])


def takes_run_options(function: _F) -> _F:
    """Make a function accept the options of the task and the method that it is called with."""
    return takes_options(function, own=_own)


def _own(given: Mapping[str, Any]) -> Mapping[str, Declared]:
    return {**own_options(given), **declared(find_method(given.get("method")).options)}


def with_method(options: Mapping[str, Any]) -> tuple[RunMethod, dict[str, Any], dict[str, Any]]:
    """Split options into the method, its own options and all others.

    Args:
        options: options of a run by name.

    Returns:
        The method; its own options with defaults; and the other options, in which the method's
        defaults replace missing values.

    Raises:
        DiswotError: the method does not exist, or one of its options is out of range.
    """
    method = find_method(options.get("method"))
    given = {name: value for name, value in options.items() if value is not None}
    data_options = filled(method.options, options_of(method.options, given))
    others = {name: value for name, value in options.items() if name not in data_options}
    for name, value in method.defaults.items():
        if others.get(name) is None:
            others[name] = value
    return method, data_options, others
