"""Teachers of the user's own: a network, or a callable that returns one."""

import inspect
from functools import partial

from torch import nn

from diswot.errors import TeacherError, first_line
from diswot.networks.copies import copied
from diswot.references import resolve
from diswot.seeding import torch_seed
from diswot.tasks.images import ImageSpec
from diswot.teachers._reinitialised import reinitialised
from diswot.teachers._teacher import Teacher


def given(network: nn.Module, name: str) -> Teacher:
    """Return a teacher that is `network` as it comes."""
    return Teacher(name, partial(reinitialised, network), partial(copied, network))


def called(reference: str, images: ImageSpec) -> Teacher:
    """Return the teacher that `package.module:callable` makes.

    Raises:
        OptionError: there is no such callable.
        TeacherError: it does not return a network.
    """
    factory = resolve(reference, kind="teacher")
    offered = {
        "num_classes": images.num_classes,
        "in_channels": images.shape[0],
        "images": images,
    }
    try:
        taken = inspect.signature(factory).parameters
        with torch_seed(0):
            network = factory(**{name: value for name, value in offered.items() if name in taken})
    except Exception as error:
        raise TeacherError(
            f"teacher {reference}: calling it raised {type(error).__name__}: "
            f"{first_line(error)}; fix the callable"
        ) from error
    if not isinstance(network, nn.Module):
        raise TeacherError(
            f"teacher {reference}: expected it to return a torch.nn.Module, "
            f"but got {type(network).__name__}"
        )
    return given(network, reference)
