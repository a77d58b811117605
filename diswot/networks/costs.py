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
from torch.utils.flop_counter import FlopCounterMode

from diswot.networks import kept_modes
from diswot.networks.copies import copied
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


def costs_of(network: nn.Module, signature: Signature) -> Costs:
    """Count parameters and MACs of a network that has been built, which is not changed.

    They are counted on a copy on the meta device. A network that cannot run there, for example
    because its computation depends on values, runs once on random inputs instead.

    Args:
        network: the network, on any device.
        signature: shapes of the network's inputs.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> costs_of(nn.Linear(3, 2), Signature((TensorSpec("features", (3,)),), 2))
        Costs(params=8, macs=6, latency_ms=None, memory=None)
    """
    try:
        return measure_costs(lambda: copied(network).to("meta"), signature)
    except Exception:  # noqa: BLE001  (modules raise anything where tensors have no values)
        return _counted_on_values(network, signature)


def _counted_on_values(network: nn.Module, signature: Signature) -> Costs:
    parameters = list(network.parameters())
    device = str(parameters[0].device) if parameters else "cpu"
    example = signature.example(1, device=device, generator=torch.Generator().manual_seed(0))
    with kept_modes(network), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network.eval()(*example)
    params = sum(parameter.numel() for parameter in parameters)
    return Costs(params, counter.get_total_flops() // 2)


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
