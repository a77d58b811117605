"""Divide a network into stages and blocks, by one forward pass on the meta device."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from search_spaces import Signature

Shape = tuple[int, ...]

RESOLUTIONS = 3
"""Number of resolutions inside a module from which it is drawn as its parts."""


@dataclass(frozen=True)
class Block:
    """A module, or several equal consecutive ones.

    Attributes:
        kind: its class, or its layers if they are plain ones.
        contents: its layers with weights, if it has several.
        repeats: number of equal modules.
        params: parameters of all of them.
        macs: MACs of all of them for one example.
    """

    kind: str
    contents: str
    repeats: int
    params: int
    macs: int


@dataclass(frozen=True)
class Stage:
    """Consecutive blocks whose outputs have the same shape.

    Attributes:
        shape: (C, H, W), (T, C) for T tokens, or (D,).
        blocks: the blocks in order of execution.
    """

    shape: Shape
    blocks: tuple[Block, ...]

    @property
    def params(self) -> int:
        """Parameters of its blocks."""
        return sum(block.params for block in self.blocks)

    @property
    def macs(self) -> int:
        """MACs of its blocks."""
        return sum(block.macs for block in self.blocks)

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return sum(block.repeats for block in self.blocks)

    @property
    def channels(self) -> int:
        """Number of channels, or of features of a token or vector."""
        return self.shape[0] if len(self.shape) != 2 else self.shape[1]

    @property
    def side(self) -> int:
        """Side of a square map with as many positions."""
        positions = self.shape[1:] if len(self.shape) == 3 else self.shape[:-1]
        return max(1, math.isqrt(math.prod(positions)))

    def __str__(self) -> str:
        if len(self.shape) == 3:
            channels, height, width = self.shape
            return f"{height}×{width}, {channels} channel{'s' * (channels > 1)}"
        if len(self.shape) == 2:
            return f"{self.shape[0]} tokens of {self.shape[1]}"
        return f"{'×'.join(map(str, self.shape))} values"


@dataclass(frozen=True)
class Drawing:
    """A network as stages.

    Attributes:
        given: shape of the first input.
        stages: the stages in order of execution.
        params: parameters of the whole network, including those outside of blocks.
    """

    given: Shape
    stages: tuple[Stage, ...]
    params: int

    @property
    def loose_params(self) -> int:
        """Parameters that belong to no block, such as embeddings of positions."""
        return self.params - sum(stage.params for stage in self.stages)


def read_network(build: Callable[[], nn.Module], signature: Signature) -> Drawing:
    """Run a network on the meta device and return its stages.

    `nn.Sequential` and modules with three or more resolutions are divided into their parts; any
    other module is one block. Layers without weight matrices (normalization, activations) are
    joined to the layer before them.

    Args:
        build: makes the network; called with the meta device as default.
        signature: shapes of the network's inputs.

    Raises:
        Exception: anything, if the network does not run on the meta device.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> def build():
        ...     return nn.Sequential(
        ...         nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(),
        ...         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
        >>> takes = Signature((TensorSpec("images", (3, 16, 16)),), 10)
        >>> for stage in read_network(build, takes).stages:
        ...     print(stage, [block.kind for block in stage.blocks], stage.params)
        16×16, 8 channels ['Conv2d 3×3, ReLU'] 224
        8 values ['AdaptiveAvgPool2d, Flatten'] 0
        10 values ['Linear'] 90
    """
    # 1. Run the network on the meta device, and record calls, shapes and FLOPs of all modules.
    with torch.device("meta"):
        network = build().eval()
    inputs = signature.example(1, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        calls = _calls(network, inputs, counter.get_total_flops)
    # 2. Choose the modules to draw, join layers, and merge repeated blocks.
    blocks = _alike(_layers(_drawn(network, calls)))
    # 3. Consecutive blocks with one output shape are a stage.
    stages = tuple(
        Stage(shape, tuple(block for _, block in group))
        for shape, group in groupby(blocks, key=lambda pair: pair[0])
    )
    params = sum(parameter.numel() for parameter in network.parameters())
    return Drawing(tuple(inputs[0].shape[1:]), stages, params)


@dataclass(eq=False)
class _Call:
    """One call of a module; shape and FLOPs are set when it ends."""

    module: nn.Module
    caller: "_Call | None"
    flops: int
    shape: Shape | None = None
    resolutions: set[Shape] = field(default_factory=set)

    def end(self, output: object, flops: int) -> None:
        self.flops = flops - self.flops
        self.shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else None
        if self.shape is not None and len(self.shape) > 1:
            self.resolutions.add(self.shape[1:] if len(self.shape) == 3 else self.shape[:-1])
        if self.caller is not None:
            self.caller.resolutions |= self.resolutions

    def callers(self) -> "Iterator[_Call]":
        if self.caller is not None:
            yield self.caller
            yield from self.caller.callers()


def _calls(network: nn.Module, inputs: tuple[Tensor, ...], flops: Callable[[], int]) -> list[_Call]:
    """Run the network; return the calls of its modules in the order of their starts."""
    calls: list[_Call] = []
    open_calls: list[_Call] = []

    def begin(module: nn.Module, _inputs: object) -> None:
        open_calls.append(_Call(module, open_calls[-1] if open_calls else None, flops()))
        calls.append(open_calls[-1])

    def end(_module: nn.Module, _inputs: object, output: object) -> None:
        open_calls.pop().end(output, flops())

    with ExitStack() as hooks:
        for module in network.modules():
            hooks.callback(module.register_forward_pre_hook(begin).remove)
            hooks.callback(module.register_forward_hook(end).remove)
        network(*inputs)
    return calls


def _drawn(network: nn.Module, calls: Sequence[_Call]) -> list[_Call]:
    """Return the calls of modules that are drawn as blocks."""
    # Containers are opened, that is replaced by their children: sequentials, and modules whose
    # outputs have at least three resolutions, such as a whole backbone.
    opened = {network} | {
        call.module
        for call in calls
        if type(call.module) is nn.Sequential
        or len(call.resolutions - {(1, 1), (1,)}) >= RESOLUTIONS
    }
    return [
        call
        for call in calls
        if call.module not in opened
        and call.shape is not None
        and all(caller.module in opened for caller in call.callers())
        and not isinstance(call.module, nn.Identity)
    ]


def _layers(calls: Sequence[_Call]) -> list[tuple[Shape, Block]]:
    """Return a block per call, with plain layers joined to the layer before them."""
    blocks: list[tuple[Shape, Block]] = []
    counted: set[nn.Parameter] = set()
    joinable = False
    for call in calls:
        # Shared parameters count only at their first use.
        fresh = set(call.module.parameters()) - counted
        counted |= fresh
        # FlopCounterMode counts a multiply-add as two operations.
        params, macs = sum(parameter.numel() for parameter in fresh), call.flops // 2
        plain = not any(True for _ in call.module.children())
        block = Block(_kind(call.module), _contents(call.module), 1, params, macs)
        # Normalizations and activations are joined to the layer before them.
        if joinable and plain and not _is_layer(call.module):
            before = blocks.pop()[1]
            block = replace(
                before, kind=f"{before.kind}, {block.kind}", params=before.params + params
            )
        blocks.append((call.shape or (), block))
        joinable = plain
    return blocks


def _alike(blocks: Sequence[tuple[Shape, Block]]) -> list[tuple[Shape, Block]]:
    """Merge consecutive blocks of equal shape, kind and contents."""
    merged = []
    for (shape, _, _), group in groupby(blocks, key=lambda b: (b[0], b[1].kind, b[1].contents)):
        alike = [block for _, block in group]
        params, macs = sum(block.params for block in alike), sum(block.macs for block in alike)
        merged.append((shape, replace(alike[0], repeats=len(alike), params=params, macs=macs)))
    return merged


def _is_layer(module: nn.Module) -> bool:
    """Return whether a module has a weight matrix of its own, or is a pooling layer."""
    weights = any(parameter.ndim > 1 for parameter in module.parameters(recurse=False))
    return weights or "Pool" in type(module).__name__


def _kind(module: nn.Module) -> str:
    name = type(module).__name__
    if not isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return name
    kernel, stride = ("×".join(map(str, size)) for size in (module.kernel_size, module.stride))
    depthwise = " depthwise" if module.groups > 1 and module.weight.shape[1] == 1 else ""
    strided = f" (stride {stride.split('×')[0]})" if max(module.stride) > 1 else ""
    return f"{name} {kernel}{depthwise}{strided}"


def _contents(module: nn.Module) -> str:
    inner = (item for item in module.modules() if item is not module)
    kinds = Counter(_kind(item) for item in inner if _is_layer(item))
    return ", ".join(kind if n == 1 else f"{n} × {kind}" for kind, n in kinds.items())
