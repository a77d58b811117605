"""Check with a trial pass of a few examples that a network can be used."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from diswot.errors import ForwardError, NetworkError, first_line
from diswot.networks._activations import Activations
from diswot.networks._reader import ActivationReader
from diswot.networks.copies import copied
from diswot.networks.output import run, shapes_of

IN_PLACE = "modified by an inplace operation"
"""Part of torch's message if a tensor for the backward pass was changed in place."""

_WITHOUT_VALUES = ("meta tensor", "Meta tensor", "data-independent")
"""Parts of torch's messages if values are needed on the meta device."""


def trial_pass(
    network: nn.Module,
    *inputs: Tensor,
    outputs: int,
    who: str,
    counted: str = "outputs",
    maps: bool = True,
    training: bool = False,
) -> None:
    """Make sure that `network` accepts `inputs` and returns (B, `outputs`).

    Args:
        network: the network, which is in evaluation mode afterwards.
        *inputs: example inputs, each (B, …).
        outputs: required number of outputs per example.
        who: name of the network in messages.
        counted: what outputs are called in messages, such as `classes`.
        maps: whether the network must have a feature map.
        training: whether a training step is tried as well, on a copy.

    Raises:
        NetworkError: the network does not fit; the message begins with `who`.
    """
    with _refused(who, inputs), torch.no_grad():
        activations = _read(network.eval(), inputs, who)
    output = activations.output
    if output.shape[1] != outputs:
        raise NetworkError(
            f"{who} has {output.shape[1]} {counted}, but the data has {outputs}: they must be "
            f"equal (its output for {len(output)} examples has the shape {_shape(output)})"
        )
    if maps:
        _ = activations.feature_map  # raises an error if there is none
    if training:
        _try_training(network, inputs, tuple(output.shape), who)


def _read(network: nn.Module, inputs: Sequence[Tensor], who: str) -> Activations:
    with ActivationReader(network, who=who) as read:
        return read(*inputs)


@contextmanager
def _refused(who: str, inputs: Sequence[Tensor]) -> Iterator[None]:
    try:
        yield
    except ForwardError as error:
        cause = error.__cause__ or error
        if inputs[0].is_meta and any(words in str(cause) for words in _WITHOUT_VALUES):
            raise NetworkError(
                f"{who}: multiply-adds cannot be counted, since what it computes depends on the "
                f"values of its inputs ({type(cause).__name__}), and costs are counted from shapes "
                "alone: compute the same for all values"
            ) from error
        raise NetworkError(
            f"{who} cannot take inputs of shape {shapes_of(inputs)} "
            f"({type(cause).__name__}: {first_line(cause)}): choose a network for this shape"
        ) from error


def _try_training(
    network: nn.Module, inputs: Sequence[Tensor], shape: tuple[int, ...], who: str
) -> None:
    """Try forward and backward pass of a copy in training mode; generators are restored."""
    devices = [item.device for item in inputs[:1] if item.is_cuda]
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        output = run(copied(network).train(), *inputs, who=who)
        if tuple(output.shape) != shape:
            raise NetworkError(
                f"{who} returns an output of shape {_shape(output)} in training mode, but of "
                f"{shape} in evaluation mode: return the same output first in both"
            )
        if output.requires_grad:
            _try_backward(output, who)


def _try_backward(output: Tensor, who: str) -> None:
    try:
        with backward_of(who):
            torch.autograd.backward(output.sum())
    except NetworkError as error:
        # Not every operation has a backward pass on the meta device.
        if not output.is_meta or IN_PLACE in str(error):
            raise


@contextmanager
def backward_of(who: str) -> Iterator[None]:
    """Turn exceptions of a backward pass inside the block into one-line errors.

    Args:
        who: name of the network in messages.

    Raises:
        NetworkError: the block raised an exception.
    """
    try:
        yield
    except NetworkError:
        raise
    except Exception as error:  # a network of the user's own can raise anything
        message = first_line(error).split(" Hint:")[0].rstrip(".")  # without torch's own advice
        raise NetworkError(
            f"{who} raised {type(error).__name__} in its backward pass: {message}; fix the network "
            "(in-place operations are a common cause; --debug shows where)"
        ) from error


def _shape(output: Tensor) -> str:
    return str(tuple(output.shape))
