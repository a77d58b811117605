"""What a network costs, found on the meta device: nothing is allocated, nothing computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.benchmark import Timer
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Costs:
    """What a network costs; `None` where it was not asked for.

    Attributes:
        params: parameters.
        macs: multiply-adds of one input.
        latency_ms: milliseconds of one forward pass.
        memory: peak bytes of activations of one input, in single precision.
    """

    params: int
    macs: int
    latency_ms: float | None = None
    memory: int | None = None


_SHAPE_KEEPERS = (F.batch_norm, F.relu)
"""Without multiply-adds here, without effect on shapes, and slow on meta tensors."""


class _OnlyWhatCounts(TorchFunctionMode):
    """Passes by what changes neither shapes nor the count."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _SHAPE_KEEPERS:
            return args[0] if args else kwargs["input"]
        return func(*args, **(kwargs or {}))


def measure_costs(build: Callable[[], nn.Module], shape: tuple[int, int, int]) -> Costs:
    """Count parameters and multiply-adds of the network that `build` makes.

    Multiply-adds are those of convolutions, linear layers and matrix products.

    Args:
        build: makes the network; called with the meta device as default.
        shape: channels, height and width of one input.

    Examples:
        >>> measure_costs(lambda: nn.Conv2d(3, 8, 3, padding=1), (3, 4, 4))
        Costs(params=224, macs=3456)
    """
    with torch.device("meta"):
        network = build().eval()
        images = torch.empty(1, *shape)
    with torch.no_grad(), _OnlyWhatCounts(), FlopCounterMode(display=False) as counter:
        network(images)
    params = sum(parameter.numel() for parameter in network.parameters())
    return Costs(params, counter.get_total_flops() // 2)


def measure_latency(network: nn.Module, shape: tuple[int, int, int], *, device: str) -> float:
    """Return the median time of one forward pass of one image, in milliseconds.

    After a warm-up, with as many threads as torch is set to use.
    """
    images = torch.zeros(1, *shape, device=device)
    network = network.to(device).eval()
    timer = Timer(
        "network(images)",
        globals={"network": network, "images": images},
        num_threads=torch.get_num_threads(),
    )
    with torch.inference_mode():
        network(images)
        return timer.blocked_autorange(min_run_time=0.3).median * 1e3
