"""Whether a network can be read, tried on a few images before any work."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from diswot.errors import ForwardError, NetworkError, first_line
from diswot.networks._activations import Activations
from diswot.networks._reader import ActivationReader
from diswot.networks.copies import copied
from diswot.networks.output import run

IN_PLACE = "modified by an inplace operation"
"""What torch says of a tensor that its backward pass needed."""


def trial_pass(
    network: nn.Module, images: Tensor, *, num_classes: int, who: str, training: bool = False
) -> None:
    """Make sure that `network` can be read: it takes `images` and tells `num_classes` apart.

    Args:
        network: is in evaluation mode afterwards.
        images: (B, channels, height, width).
        num_classes: of the data.
        who: what the network is called in messages.
        training: whether it must be possible to train it too, which is tried on a copy.

    Raises:
        NetworkError: it does not; the message begins with `who`.
    """
    with _refused(who, images), torch.no_grad():
        logits = _read(network.eval(), images, who).logits
    if logits.shape[1] != num_classes:
        raise NetworkError(
            f"{who} has {logits.shape[1]} classes, but the data has {num_classes}: they must be "
            f"equal (its output for {len(images)} images has the shape {_shape(logits)})"
        )
    if training:
        _try_training(network, images, tuple(logits.shape), who)


def _read(network: nn.Module, images: Tensor, who: str) -> Activations:
    with ActivationReader(network, who=who) as read:
        return read(images)


@contextmanager
def _refused(who: str, images: Tensor) -> Iterator[None]:
    try:
        yield
    except ForwardError as error:
        cause = error.__cause__ or error
        raise NetworkError(
            f"{who} cannot take images of shape {tuple(images.shape[1:])} "
            f"({type(cause).__name__}: {first_line(cause)}): choose one made for this data"
        ) from error


def _try_training(network: nn.Module, images: Tensor, shape: tuple[int, ...], who: str) -> None:
    """Run a copy in training mode, and back, leaving torch's generators as they are."""
    devices = [images.device] if images.is_cuda else []
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        logits = run(copied(network).train(), images, who=who)
        if tuple(logits.shape) != shape:
            raise NetworkError(
                f"{who} returns an output of shape {_shape(logits)} in training mode, but of "
                f"{shape} in evaluation mode: return the logits first, or as 'logits', in both"
            )
        if logits.requires_grad:
            _try_backward(logits, who)


def _try_backward(logits: Tensor, who: str) -> None:
    try:
        with backward_of(who):
            torch.autograd.backward(logits.sum())
    except NetworkError as error:
        # Not every operation has a backward pass on the meta device.
        if not logits.is_meta or IN_PLACE in str(error):
            raise


@contextmanager
def backward_of(who: str) -> Iterator[None]:
    """Make what is raised while gradients are computed one line about the network.

    Raises:
        NetworkError: something is.
    """
    try:
        yield
    except NetworkError:
        raise
    except Exception as error:  # a network of the user's own can raise anything
        said = first_line(error).split(" Hint:")[0].rstrip(".")  # of torch, to its own users
        raise NetworkError(
            f"{who} raised {type(error).__name__} in its backward pass: {said}; fix the network "
            "(in-place operations are a common cause; --debug shows where)"
        ) from error


def _shape(logits: Tensor) -> str:
    return str(tuple(logits.shape))
