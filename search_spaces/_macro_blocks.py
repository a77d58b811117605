"""Blocks of the macro spaces: their descriptions, and the modules that they build."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn

KERNELS = (3, 5, 7)
NARROWEST, WIDEST, GRAIN = 8, 2048, 8
"""Channels are multiples of 8 from 8 to 2,048."""

WIDTHS = f"multiples of {GRAIN} from {NARROWEST} to {WIDEST}"

DEEPEST, SPLIT = 5, 3
"""A block of more than 5 layers is split into two, one of which has 3."""

_WRITTEN = re.compile(r"k([0-9]{1,4})c([0-9]{1,4})(?:b([0-9]{1,4}))?n([0-9]{1,4})")


class MacroBlock(NamedTuple):
    """A sequence of equal residual blocks, written `k3c64n2` or `k3c64b16n2`.

    Attributes:
        kernel: kernel size of the convolutions; in a bottleneck, of the middle one.
        channels: channels of the output.
        layers: number of residual blocks.
        bottleneck: channels inside a bottleneck; `None` for basic blocks.
    """

    kernel: int
    channels: int
    layers: int
    bottleneck: int | None = None

    def __str__(self) -> str:
        inner = "" if self.bottleneck is None else f"b{self.bottleneck}"
        return f"k{self.kernel}c{self.channels}{inner}n{self.layers}"

    @classmethod
    def parse(cls, text: str) -> "MacroBlock":
        """Parse a block such as `k3c64n2`.

        Raises:
            ValueError: `text` is not a block, or kernel, channels or layers are out of range.
        """
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError(f"Expected a block like k3c64n2, but got {text!r}")
        kernel, channels, inner, layers = match.groups()
        block = cls(int(kernel), int(channels), int(layers), int(inner) if inner else None)
        widths = [block.channels] if block.bottleneck is None else [block.channels, int(inner)]
        if not (
            block.kernel in KERNELS and all(map(is_width, widths)) and 1 <= block.layers <= DEEPEST
        ):
            raise ValueError(
                f"Expected a kernel of 3, 5 or 7, channels that are {WIDTHS} and 1 to {DEEPEST} "
                f"layers, but got {text!r}"
            )
        return block


Stage: TypeAlias = tuple[MacroBlock, ...]
"""The blocks of one resolution, in order."""


def is_width(channels: int) -> bool:
    """Return whether a number of channels is valid."""
    return NARROWEST <= channels <= WIDEST and channels % GRAIN == 0


def nearest_width(channels: float) -> int:
    """Round a number of channels to the nearest valid one."""
    return min(WIDEST, max(NARROWEST, GRAIN * int(channels / GRAIN + 0.5)))


def layer_count(blocks: Iterable[MacroBlock]) -> int:
    """Return the total number of residual blocks."""
    return sum(block.layers for block in blocks)


def split(block: MacroBlock) -> Stage:
    """Split a block in two if it has too many layers."""
    if block.layers <= DEEPEST:
        return (block,)
    return block._replace(layers=SPLIT), block._replace(layers=block.layers - SPLIT)


def merged(stage: Stage) -> Stage:
    """Merge consecutive blocks that only differ in their number of layers."""
    alike = [a._replace(layers=b.layers) == b for a, b in pairwise(stage)]
    starts = [0, *(i for i, same in enumerate(alike, start=1) if not same)]
    rows = [stage[i:j] for i, j in pairwise([*starts, len(stage)])]
    return tuple(row[0]._replace(layers=layer_count(row)) for row in rows)


def exchangeable(a: Stage, b: Stage) -> Iterator[tuple[Stage, Stage]]:
    """Yield pairs of parts that two stages can exchange: blocks if their numbers are equal."""
    if len(a) != len(b):
        yield a, b
        return
    for one, other in zip(a, b, strict=True):
        yield (one,), (other,)


class ResidualBlock(nn.Module):
    """A residual block whose shortcut is a 1×1 convolution if shapes change.

    A basic block has two k×k convolutions, a bottleneck 1×1, k×k and 1×1; the first
    k×k convolution has the stride. Each is followed by batch normalization.

    Args:
        in_channels: channels of the input.
        block: kernel, channels and bottleneck.
        stride: stride of the block.
    """

    def __init__(self, in_channels: int, block: MacroBlock, stride: int) -> None:
        super().__init__()
        kernel, channels, inner = block.kernel, block.channels, block.bottleneck
        if inner is None:
            first = conv_bn(in_channels, channels, kernel, stride)
            self.branch = nn.Sequential(*first, nn.ReLU(), *conv_bn(channels, channels, kernel))
        else:
            self.branch = nn.Sequential(
                *(*conv_bn(in_channels, inner, 1), nn.ReLU()),
                *(*conv_bn(inner, inner, kernel, stride), nn.ReLU()),
                *conv_bn(inner, channels, 1),
            )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(*conv_bn(in_channels, channels, 1, stride))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, channels, H/stride, W/stride)."""
        y: Tensor = self.relu(self.branch(x) + self.shortcut(x))
        return y


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    momentum: float = 0.1,
) -> list[nn.Module]:
    """Return a convolution, padded to keep the resolution at stride 1, and its BatchNorm."""
    return [
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels, momentum=momentum),
    ]
