"""The operators of a network: the torch functions that its forward pass calls.

An operator is a function together with the shapes of its tensors and its other arguments, for
example a 3×3 convolution of a given shape, an addition, or an attention.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

from diswot.latency._measured import FAST, time_call, unusable
from diswot.networks.meta import ShapeArithmetic, build_on_meta
from search_spaces import Architecture, SearchSpace, Signature

_Seen: TypeAlias = Callable[[str, Callable[[], object]], None]
"""Called with an operator's name and a function that runs it again."""


class _Recorder(TorchFunctionMode):
    """A context that reports every operator called inside it, without nested calls."""

    def __init__(self, seen: _Seen) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if func.__name__ != "__get__" and _holds_tensor(result):
            self._seen(operator_name(func, args, kwargs), partial(func, *args, **kwargs))
        return result


def _holds_tensor(result: object) -> bool:
    parts = result if isinstance(result, tuple | list) else (result,)
    return any(isinstance(part, Tensor) for part in parts)


def operator_name(func: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> str:
    """Return the name of an operator: the function and its arguments, tensors as shapes.

    Examples:
        >>> operator_name(torch.add, (torch.zeros(1, 8, 4, 4), 2), {})
        'add(1×8×4×4, 2)'
    """
    named = (f"{name}={_written(value)}" for name, value in kwargs.items())
    return f"{func.__name__}({', '.join([*map(_written, args), *named])})"


def _written(value: Any) -> str:
    match value:
        case Tensor():
            kind = "" if value.is_floating_point() else f" {value.dtype}"
            return ("×".join(map(str, value.shape)) or "scalar") + kind
        case tuple() | list():
            return f"({', '.join(map(_written, value))})"
        case None | bool() | int() | float() | str() | slice() | torch.dtype():
            return str(value)
    return type(value).__name__  # for example a device, which differs between count and timing


def operators_of(
    space: SearchSpace, arch: Architecture, signature: Signature, *, batch: int = 1
) -> Counter[str]:
    """Count the operators of an architecture's network, on the meta device.

    Args:
        space: the search space.
        arch: the architecture.
        signature: shapes of the network's inputs and outputs.
        batch: examples per forward pass.

    Returns:
        Number of calls by name of the operator.

    Raises:
        UnusableNetworkError: the network cannot be built or run.
    """
    counts: Counter[str] = Counter()

    def count(name: str, _: Callable[[], object]) -> None:
        counts[name] += 1

    try:
        network = build_on_meta(partial(space.network, arch, signature))
        inputs = signature.example(batch, device="meta")
        with torch.no_grad(), ShapeArithmetic(), _Recorder(count):
            network(*inputs)
    except Exception as error:  # a space of the user's own can raise anything
        raise unusable(space, arch, error) from error
    return counts


def time_operators(
    network: nn.Module,
    inputs: Sequence[Tensor],
    names: Iterable[str],
    *,
    threads: int,
    seconds: float = 0.02,
) -> dict[str, float]:
    """Time operators of a network one by one.

    Args:
        network: the network, on the device and in evaluation mode.
        inputs: inputs of the network, each (B, …).
        names: names of the operators to time, if they occur.
        threads: torch threads.
        seconds: minimal time of measurement per operator, after a warm-up.

    Returns:
        10 % quantile of the times, in milliseconds, by name of the operator.
    """
    results: dict[str, float] = {}
    wanted = set(names)

    def time(name: str, call: Callable[[], object]) -> None:
        if name in wanted and name not in results:
            times = time_call(_apart(call), threads=threads, seconds=seconds)
            results[name] = float(np.quantile(times, FAST))

    with torch.inference_mode(), _Recorder(time):
        network(*inputs)
    return results


def _apart(call: Any) -> Callable[[], object]:
    """Return the call with copies of its tensors, which it may overwrite."""
    args, kwargs = tree_map(
        lambda value: value.clone() if isinstance(value, Tensor) else value,
        (call.args, call.keywords),
    )
    return partial(call.func, *args, **kwargs)
