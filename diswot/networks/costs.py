"""What a network costs, found on the meta device: nothing is allocated, nothing computed."""

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
    """What a network costs; `None` where it was not asked for.

    Attributes:
        params: parameters.
        macs: multiply-adds of one example.
        latency_ms: milliseconds of one forward pass.
        memory: peak bytes of activations of one example, in single precision.
    """

    params: int
    macs: int
    latency_ms: float | None = None
    memory: int | None = None


def measure_costs(
    build: Callable[[], nn.Module], signature: Signature, *, memory: bool = False
) -> Costs:
    """Count parameters and multiply-adds of the network that `build` makes.

    Multiply-adds are those of convolutions, linear layers and matrix products.

    Args:
        build: makes the network; called with the meta device as default.
        signature: what the network takes; costs are those of one example, 16 long along axes
            of any length.
        memory: whether to find the peak of activation memory too: the bytes of the inputs
            and of all tensors that are alive at the same time during inference, held by
            Python as in a real pass. Parameters, buffers and what a kernel allocates for
            itself do not count.

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
        example = signature.example(1, device="meta")  # uncounted: torch's counter imports a lot
        with arithmetic:
            network(*example)
    return Costs(params, arithmetic.macs, memory=None if alive is None else alive.peak)


class _LiveMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the bytes of the tensors that are alive, except those of a network.

    Attributes:
        peak: the most that were alive at the same time.
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
    """Return the storages of the tensors in `values`; tensors that share memory share one."""
    return [value.untyped_storage() for value in values if isinstance(value, Tensor)]
