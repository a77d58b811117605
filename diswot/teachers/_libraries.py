"""What teachers from other libraries have in common."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from diswot.errors import MissingExtraError, first_line
from diswot.networks import trial_pass
from diswot.networks.copies import copied
from diswot.teachers._teacher import Teacher
from search_spaces import Signature


def imported(package: str, *, extra: str, who: str) -> Any:
    """Import a library that is only needed here.

    Raises:
        MissingExtraError: it is not installed, or not in a form that can be imported.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # binaries that do not fit torch's raise anything
        missing = isinstance(error, ModuleNotFoundError) and error.name in package.split(".")
        if missing:
            raise MissingExtraError(extra, extra, who) from error
        reason = f"cannot be imported here ({type(error).__name__}: {first_line(error)})"
        raise MissingExtraError(extra, extra, who, reason=reason) from error


def library_teacher(
    name: str,
    network: nn.Module,
    *,
    fresh: Callable[[], nn.Module],
    wrap: Callable[[nn.Module], nn.Module],
    signature: Signature,
    notes: Sequence[str] = (),
) -> Teacher:
    """Return the teacher that a library's network is.

    Args:
        name: what the teacher is called.
        network: with its weights.
        fresh: makes the network at random initialization.
        wrap: wraps a network, as its `network`, so that it takes the data's inputs.
        signature: what it is to take and to return.
        notes: messages about it.

    Raises:
        NetworkError: the network does not take the inputs, or has other outputs.
    """
    wrapped = wrap(network)
    inputs = signature.example(2, generator=torch.Generator().manual_seed(0))
    trial_pass(wrapped, *inputs, outputs=signature.outputs, who=f"teacher {name}")
    return Teacher(name, partial(_wrapped, fresh, wrap), partial(copied, wrapped), tuple(notes))


def _wrapped(fresh: Callable[[], nn.Module], wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return wrap(fresh())
