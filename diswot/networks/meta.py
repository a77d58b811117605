"""Networks on the meta device: shapes and MACs only, with shortcuts where torch is slow."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.utils import _pair
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext, _device_constructors
from torch.utils.flop_counter import FlopCounterMode

_Result: TypeAlias = tuple[Sequence[int], int]
"""Shape of a result, and the MACs to compute it."""


def build_on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network on the meta device, in evaluation mode; initialization is skipped.

    Raises:
        TypeError: `build` does not return a `torch.nn.Module`.
    """
    with _WithoutValues("meta"):
        network = build()
    if not isinstance(network, nn.Module):
        raise TypeError(f"expected a torch.nn.Module, but got {type(network).__name__}")
    for module in network.modules():
        vars(module)["training"] = False  # `eval()` would take 10 % of the time of building
    return network


def _of_torch(*names: str) -> frozenset[Any]:
    """Return the functions with these names in `torch`, `Tensor` and `torch.nn.functional`."""
    homes = (torch, Tensor, F)
    return frozenset(getattr(home, name) for name in names for home in homes if hasattr(home, name))


_INITIALIZERS = _of_torch("fill_", "zero_", "normal_", "uniform_", "erfinv_", "clamp_") | {
    nn.init.constant_,
    nn.init.kaiming_uniform_,
    nn.init.normal_,
    nn.init.uniform_,
}


_FACTORIES = _device_constructors()

_CONSTANTS = frozenset({torch.zeros, torch.ones})
"""Replaced by `torch.empty`, which has the same arguments and is faster."""


class _WithoutValues(DeviceContext):
    """Like `with torch.device("meta")`, but without initializing values."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _INITIALIZERS:
            tensor = args[0] if args else kwargs.get("tensor")
            if isinstance(tensor, Tensor) and tensor.is_meta:
                return tensor
        if func in _CONSTANTS:
            func = torch.empty
        if func in _FACTORIES:
            return super().__torch_function__(func, types, args, kwargs)  # type: ignore[no-untyped-call]
        return func(*args, **kwargs) if kwargs else func(*args)


_SHAPE_KEEPERS = frozenset(
    {
        F.batch_norm,
        F.layer_norm,
        F.group_norm,
        F.relu,
        F.relu6,
        F.leaky_relu,
        F.elu,
        F.gelu,
        F.silu,
        F.mish,
        F.hardswish,
        F.hardsigmoid,
    }
)
"""Functions that keep shapes, count no MACs, and are slow on meta tensors."""

_ELEMENTWISE = _of_torch("add", "sub", "mul", "div", "true_divide", "add_", "sub_", "mul_", "div_")
"""Functions that keep the shape if the other operand is a number or has the same shape."""

_WITHOUT_PRODUCTS = (
    _ELEMENTWISE
    | _of_torch(
        *(
            "neg",
            "sum",
            "mean",
            "softmax",
            "sigmoid",
            "tanh",
            "relu",
            "dropout",
            "adaptive_avg_pool2d",
            "avg_pool2d",
            "max_pool2d",
        ),
        *("pad", "flatten", "unflatten", "view", "reshape", "permute", "transpose", "expand"),
        *("squeeze", "unsqueeze", "contiguous", "chunk", "split", "cat", "stack", "narrow"),
        *("__getitem__", "size", "dim", "numel", "zeros_like", "ones_like", "empty_like"),
    )
    | {getattr(Tensor, name).__get__ for name in ("shape", "ndim", "device", "dtype", "is_meta")}
)
"""Functions without MACs, which need no counter."""


def _alike(a: Any, b: Any) -> bool:
    """Return whether elementwise arithmetic on `a` and `b` has the shape and type of `a`."""
    if not isinstance(a, Tensor) or not a.is_floating_point():
        return False
    return isinstance(b, int | float) or (
        isinstance(b, Tensor) and a.shape == b.shape and a.dtype == b.dtype
    )


def _convolution(
    images: Tensor,
    weight: Tensor,
    _bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> _Result | None:
    if images.ndim != 4 or isinstance(padding, str) or images.shape[1] != weight.shape[1] * groups:
        return None
    out_channels, read, *kernel = weight.shape
    sides = _sides(images, kernel, stride, padding, dilation)
    shape = (images.shape[0], out_channels, *sides)
    return (shape, math.prod(shape) * read * math.prod(kernel)) if min(sides) > 0 else None


def _pooling(
    maps: Tensor,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    *_: Any,
) -> _Result | None:
    if maps.ndim != 4 or ceil_mode:
        return None
    sides = _sides(maps, kernel, kernel if stride is None else stride, padding)
    return ((*maps.shape[:2], *sides), 0) if min(sides) > 0 else None


def _sides(maps: Tensor, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> list[int]:
    """Return height and width of the output of a convolution or pooling."""
    steps = zip(maps.shape[2:], *map(_pair, (kernel, stride, padding, dilation)), strict=True)
    return [(n + 2 * pad - dil * (k - 1) - 1) // step + 1 for n, k, step, pad, dil in steps]


def _adaptive_pooling(maps: Tensor, size: Any) -> _Result | None:
    sides = _pair(size)
    return ((*maps.shape[:2], *sides), 0) if maps.ndim == 4 and None not in sides else None


def _like(given: Tensor) -> _Result:
    return given.shape, 0


def _linear(inputs: Tensor, weight: Tensor, _bias: Tensor | None = None) -> _Result | None:
    if inputs.ndim < 2 or weight.ndim != 2 or inputs.shape[-1] != weight.shape[1]:
        return None
    shape = (*inputs.shape[:-1], weight.shape[0])
    return shape, math.prod(shape) * inputs.shape[-1]


def _matmul(a: Tensor, b: Tensor) -> _Result | None:
    if min(a.ndim, b.ndim) < 2 or a.shape[-1] != b.shape[-2]:
        return None
    if a.shape[:-2] != b.shape[:-2]:
        return None
    shape = (*a.shape[:-1], b.shape[-1])
    return shape, math.prod(shape) * a.shape[-1]


_RULES: dict[Any, Callable[..., _Result | None]] = {
    F.avg_pool2d: _pooling,
    F.adaptive_avg_pool2d: _adaptive_pooling,
    torch.zeros_like: _like,
    F.conv2d: _convolution,
    F.linear: _linear,
    torch.matmul: _matmul,
    Tensor.matmul: _matmul,
}
"""Shape rules of frequent functions; `None` as result leaves a call to torch."""


def _new(shape: Sequence[int], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device)  # faster than new_empty


class ShapeArithmetic(TorchFunctionMode):
    """Counts MACs while a network runs on the meta device.

    Frequent functions are counted from shapes; all others by torch's `FlopCounterMode`.

    Args:
        allocate: whether results are new tensors as in a real pass, to measure memory;
            otherwise functions that keep the shape return their input.
    """

    def __init__(self, *, allocate: bool = False) -> None:
        super().__init__()
        self.macs = 0
        self._allocate = allocate

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _SHAPE_KEEPERS:
            given = args[0] if args else kwargs["input"]
            new = self._allocate and not kwargs.get("inplace", False)
            return _new(given.shape, given) if new else given
        if func in _ELEMENTWISE and not kwargs and _alike(*args):
            new = self._allocate and not func.__name__.endswith("_")
            return _new(args[0].shape, args[0]) if new else args[0]
        outcome = _RULES[func](*args) if func in _RULES and not kwargs else None
        if outcome is not None:
            shape, macs = outcome
            self.macs += macs
            return _new(shape, args[0])
        if func in _WITHOUT_PRODUCTS:
            return func(*args, **kwargs)
        with FlopCounterMode(display=False) as counter:
            result = func(*args, **kwargs)
        self.macs += counter.get_total_flops() // 2
        return result
