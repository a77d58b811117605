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
from diswot.tasks.images import ImageSpec
from diswot.teachers._teacher import Teacher


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
    shown: Callable[[nn.Module], nn.Module],
    images: ImageSpec,
    names: Sequence[str] | None,
    notes: Sequence[str] = (),
) -> Teacher:
    """Return the teacher that a library's network is.

    Args:
        name: what the teacher is called.
        network: with its weights.
        fresh: makes the network at random initialization.
        shown: wraps a network, as its `network`, so that it takes the data's images.
        images: what they are.
        names: of the network's classes, in the order of its outputs, where known.
        notes: what is to be said of it.

    Raises:
        NetworkError: the network does not take the images, or has other classes.
    """
    wrapped = shown(network)
    _checked(wrapped, images, f"teacher {name}")
    return Teacher(
        name,
        partial(_wrapped, fresh, shown),
        partial(copied, wrapped),
        tuple(notes),
        names=None if names is None else tuple(names),
    )


def _wrapped(fresh: Callable[[], nn.Module], shown: Callable[[nn.Module], nn.Module]) -> nn.Module:
    return shown(fresh())


def _checked(network: nn.Module, images: ImageSpec, who: str) -> None:
    """Make sure that a network takes the images and has the data's classes."""
    sample = torch.randn(2, *images.shape, generator=torch.Generator().manual_seed(0))
    trial_pass(network, sample, outputs=images.num_classes, who=who)
