"""Teachers that users provide: a network, or a callable that returns one."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import nn

from diswot.errors import TeacherError
from diswot.networks.copies import copied
from diswot.references import made_by, resolve
from diswot.seeding import torch_seed
from diswot.teachers._reinitialized import reinitialized
from diswot.teachers._teacher import Teacher


def taken(function: Callable[..., Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    """Select the arguments that a function has a parameter for.

    Examples:
        >>> taken(lambda width: width, {"width": 8, "depth": 2})
        {'width': 8}
    """
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in offered.items() if name in parameters}


def given(network: nn.Module, name: str) -> Teacher:
    """Return a teacher with the weights of `network`, which must be trained already."""
    return Teacher(name, partial(reinitialized, network), partial(copied, network))


def called(reference: str, offered: Mapping[str, Any]) -> Teacher:
    """Return the teacher made by `package.module:callable`.

    Args:
        reference: the reference to the callable.
        offered: arguments by name; those that it has parameters for are passed.

    Raises:
        OptionError: the callable cannot be imported.
        TeacherError: it raises an exception, or does not return a network.
    """
    factory = resolve(reference, kind="teacher")

    def make() -> Any:
        with torch_seed(0):
            return factory(**taken(factory, offered))

    network = made_by(make, reference, kind="teacher", error=TeacherError)
    if not isinstance(network, nn.Module):
        raise TeacherError(
            f"teacher {reference}: expected it to return a torch.nn.Module, "
            f"but got {type(network).__name__}"
        )
    return given(network, reference)
