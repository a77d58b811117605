"""Methods by name: the built-in ones, and those that installed packages offer."""

from typing import Any

from diswot.errors import OptionError
from diswot.methods._run_method import RunMethod
from diswot.options import DEFAULT_METHOD
from diswot.references import is_reference, resolve
from diswot.registry import Registry


def _method(name: str, found: Any) -> RunMethod:
    if isinstance(found, type) and issubclass(found, RunMethod):
        return found()
    if isinstance(found, RunMethod):
        return found
    raise OptionError(f"method {name!r} is {found!r}, which is no diswot.methods.RunMethod")


METHODS: Registry[RunMethod] = Registry(
    "method",
    "diswot.methods",
    {
        "distillation": "diswot.methods._run_method:Distilled",
        "supernet": "diswot.methods.supernet:SupernetRun",
    },
    adopt=_method,
)
"""Every method by its name, imported when it is used."""


def find_method(name: str | None = None) -> RunMethod:
    """Return the method of a name.

    Args:
        name: a built-in name, the name of an entry point in the group `diswot.methods`, or
            `package.module:Class`; by default `distillation`.

    Raises:
        UnknownNameError: no method has that name.
        OptionError: what is named is no method.
        PluginError: the package that offers it cannot be imported.

    Examples:
        >>> find_method("supernet").summary
        'students cut out of supernets that learn the relations of the teacher, without labels'
    """
    if name is not None and is_reference(name):
        return _method(name, resolve(name, kind="method"))
    return METHODS.find(name or DEFAULT_METHOD, also=" (or give package.module:Class)")
