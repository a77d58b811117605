"""Networks on the meta device: shapes alone, by arithmetic where torch would take longer."""

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
"""Shape of a result, and its multiply-adds."""


def build_on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Return the network that `build` makes on the meta device, in evaluation mode.

    Parameters have no values there, so setting them is left out.

    Raises:
        TypeError: it makes no network.
    """
    with _WithoutValues("meta"):
        network = build()
    if not isinstance(network, nn.Module):
        raise TypeError(f"expected a torch.nn.Module, but got {type(network).__name__}")
    for module in network.modules():
        vars(module)["training"] = False  # `eval` takes a tenth of the time of building
    return network


def _of_torch(*names: str) -> frozenset[Any]:
    """Return what has one of these names in torch, its tensors and its functional module."""
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
"""Take the arguments of `torch.empty`, which is faster."""


class _WithoutValues(DeviceContext):
    """What `with torch.device("meta")` is, except for setting values."""

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
"""Without multiply-adds here, without effect on shapes, and slow on meta tensors."""

_ELEMENTWISE = _of_torch("add", "sub", "mul", "div", "true_divide", "add_", "sub_", "mul_", "div_")
"""Keep the shape where the other operand is a number or has the same."""

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
"""What needs no counter."""


def _alike(a: Any, b: Any) -> bool:
    """Return whether elementwise arithmetic on `a` and `b` gives what `a` is."""
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
    """Return height and width after a window has slid over `maps`."""
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
"""Arithmetic of what is asked most; `None` leaves a call, also a faulty one, to torch."""


def _new(shape: Sequence[int], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device)  # faster than new_empty


class ShapeArithmetic(TorchFunctionMode):
    """Counts multiply-adds while a network on the meta device runs.

    Convolutions and matrix products are counted from shapes; what is not known here, by
    torch's own counter.

    Args:
        allocate: whether results that torch would allocate are tensors of their own;
            otherwise what keeps its shape returns what it was given.
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
        found = _RULES[func](*args) if func in _RULES and not kwargs else None
        if found is not None:
            shape, macs = found
            self.macs += macs
            return _new(shape, args[0])
        if func in _WITHOUT_PRODUCTS:
            return func(*args, **kwargs)
        with FlopCounterMode(display=False) as counter:
            result = func(*args, **kwargs)
        self.macs += counter.get_total_flops() // 2
        return result
