"""Shared parts of teachers from other libraries (timm, torchvision, transformers)."""

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
    """Import an optional library.

    Args:
        package: import name.
        extra: the extra of diswot that installs it.
        who: what needs it, for the message.

    Raises:
        MissingExtraError: it is not installed, or importing it fails.
    """
    try:
        return importlib.import_module(package)
    except Exception as error:  # binaries built for another torch can raise anything
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
    """Make a teacher of a library's network, after a trial forward pass.

    Args:
        name: name of the teacher.
        network: the network with its weights.
        fresh: makes the network with random weights.
        wrap: wraps a network so that it accepts the inputs of the data.
        signature: shapes of inputs and outputs of the data.
        notes: messages for the user.

    Raises:
        NetworkError: the network does not accept the inputs, or has other outputs.
    """
    wrapped = wrap(network)
    inputs = signature.example(2, generator=torch.Generator().manual_seed(0))
    trial_pass(wrapped, *inputs, outputs=signature.outputs, who=f"teacher {name}")
    return Teacher(name, partial(_wrapped, fresh, wrap), partial(copied, wrapped), tuple(notes))


def _wrapped(fresh: Callable[[], nn.Module], wrap: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return wrap(fresh())
