"""Costs of a network, counted on the meta device without allocating or computing anything."""

import weakref
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from diswot.networks.meta import ShapeArithmetic, build_on_meta
from search_spaces import Signature


@dataclass(frozen=True)
class Costs:
    """Costs of a network; `None` for costs that were not measured.

    Attributes:
        params: number of parameters.
        macs: multiply-accumulate operations (MACs) of one example.
        latency_ms: milliseconds of one forward pass.
        memory: peak memory of activations of one example, in bytes at fp32.
    """

    params: int
    macs: int
    latency_ms: float | None = None
    memory: int | None = None


def measure_costs(
    build: Callable[[], nn.Module], signature: Signature, *, memory: bool = False
) -> Costs:
    """Count parameters and MACs of a network.

    MACs are those of convolutions, linear layers and matrix products.

    Args:
        build: makes the network; called with the meta device as default.
        signature: shapes of the network's inputs; costs are those of one example, with length
            16 along axes of variable length.
        memory: whether to measure the peak memory of activations: inputs and all tensors that
            are alive at the same time during inference, as held by Python. Parameters, buffers
            and workspace of kernels do not count.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> takes = Signature((TensorSpec("images", (3, 4, 4)),), 8)
        >>> costs = measure_costs(lambda: nn.Conv2d(3, 8, 3, padding=1), takes, memory=True)
        >>> costs.params, costs.macs, costs.memory
        (224, 3456, 704)
    """
    network = build_on_meta(build)
    params = sum(parameter.numel() for parameter in network.parameters())
    arithmetic = ShapeArithmetic(allocate=memory)
    alive = _LiveMemory(network) if memory else None
    with torch.no_grad(), alive or nullcontext():
        example = signature.example(1, device="meta")  # outside: torch's counter is slow to import
        with arithmetic:
            network(*example)
    return Costs(params, arithmetic.macs, memory=None if alive is None else alive.peak)


class _LiveMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tracks the memory of live tensors, except parameters and buffers of a network.

    Attributes:
        peak: the largest number of bytes that were alive at the same time.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._live = 0
        self._known = weakref.WeakSet(_storages((*network.parameters(), *network.buffers())))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        # Count each new storage once, and subtract it when it is garbage-collected.
        for storage in _storages(tree_leaves(result)):
            if storage not in self._known:
                self._known.add(storage)
                size = storage.nbytes()
                self._live += size
                self.peak = max(self.peak, self._live)
                weakref.finalize(storage, self._free, size)
        return result

    def _free(self, size: int) -> None:
        self._live -= size


def _storages(values: Iterable[Any]) -> list[torch.UntypedStorage]:
    """Return the storages of the tensors in `values`; views share a storage."""
    return [value.untyped_storage() for value in values if isinstance(value, Tensor)]
