"""Find the output tensor in what a network returns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from torch import Tensor, nn

from diswot.errors import DiswotError, ForwardError, NetworkError, first_line
from search_spaces import OUTPUT


def output_of(returned: Any) -> Tensor:
    """Return the output tensor in the return value of a network.

    It is the value itself if that is a tensor; otherwise the entry or attribute `logits`;
    otherwise the first tensor of a tuple, list, mapping or dataclass.

    Args:
        returned: return value of a network's call.

    Raises:
        NetworkError: there is no such tensor; the message names the type.

    Examples:
        >>> import torch
        >>> main, auxiliary = torch.zeros(2, 10), torch.zeros(2, 4)
        >>> output_of((main, auxiliary)) is output_of({"aux": auxiliary, "logits": main}) is main
        True
    """
    if isinstance(returned, Tensor):
        return returned
    named = returned.get(OUTPUT) if isinstance(returned, Mapping) else None
    named = getattr(returned, OUTPUT, None) if named is None else named
    for value in (named, *_entries(returned)):
        if isinstance(value, Tensor):
            return value
    raise NetworkError(
        f"expected the network to return a tensor, or one as {OUTPUT} or in a tuple, list, dict "
        f"or dataclass, but got {_described(returned)}: return the {OUTPUT}"
    )


def run(network: nn.Module, *inputs: Tensor, who: str) -> Tensor:
    """Run a network in its current mode and return its output tensor.

    Args:
        network: the network.
        *inputs: inputs of the network, each (B, …).
        who: name of the network in messages.

    Raises:
        ForwardError: the forward pass raised an exception.
        NetworkError: the return value has no output tensor.
    """
    try:
        returned = network(*inputs)
    except DiswotError:
        raise
    except Exception as error:  # a network of the user's own can raise anything
        mode = "training" if network.training else "evaluation"
        raise ForwardError(
            f"{who} raised {type(error).__name__} in {mode} mode, for {len(inputs[0])} inputs of "
            f"shape {shapes_of(inputs)}: {first_line(error)}; fix the network, which fails on such "
            "inputs by itself too (--debug shows where)"
        ) from error
    return output_of(returned)


def shapes_of(inputs: Sequence[Tensor]) -> str:
    """Return the shapes of inputs without their batch axis, for messages."""
    return ", ".join(str(tuple(item.shape[1:])) for item in inputs)


def first_tensor(value: Any) -> Tensor | None:
    """Return `value` if it is a tensor, or the first, least nested tensor in it, or `None`.

    Examples:
        >>> import torch
        >>> first_tensor(((torch.ones(1),), 8, torch.zeros(2))).shape
        torch.Size([2])
    """
    if isinstance(value, Tensor):
        return value
    inside = list(_entries(value))
    tensors = [item for item in inside if isinstance(item, Tensor)]
    nested = (first_tensor(item) for item in inside)
    return tensors[0] if tensors else next((item for item in nested if item is not None), None)


def _entries(returned: Any) -> Iterable[Any]:
    if isinstance(returned, Mapping):
        return returned.values()
    if isinstance(returned, tuple | list):
        return returned
    if is_dataclass(returned):
        return (getattr(returned, field.name) for field in fields(returned))
    return ()


def _described(returned: Any) -> str:
    kind = type(returned).__name__
    if not isinstance(returned, Mapping | tuple | list):
        return kind
    inside = ", ".join(dict.fromkeys(type(value).__name__ for value in _entries(returned)))
    return f"{kind} of {inside}" if inside else f"an empty {kind}"
