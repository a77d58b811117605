"""Macro spaces of Zen-NAS: sequences of residual blocks of variable kernel, width and depth."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
from torch import nn

from search_spaces._contract import Architecture, SearchSpace
from search_spaces._macro_blocks import (
    DEEPEST,
    KERNELS,
    WIDTHS,
    MacroBlock,
    ResidualBlock,
    conv_bn,
    exchangeable,
    is_width,
    layer_count,
    merged,
    nearest_width,
    split,
)

BASIC_FACTORS = (1.5, 1.25, 1 / 1.25, 1 / 1.5)
BOTTLENECK_FACTORS = (2.5, 2, 1.5, 1.25, 1 / 1.25, 1 / 1.5, 1 / 2, 1 / 2.5)
"""Factors by which a mutation can change a width."""

NARROWINGS = (1, 2, 4, 8)
WALK = 16
"""Maximal number of mutations from a (narrowed) start to a random architecture."""


class MacroSpace(SearchSpace):
    """Sequences of residual blocks of variable kernel, width and depth.

    Source: DisWOT (Dong et al., CVPR 2023), after Zen-NAS (Lin et al., ICCV 2021, arXiv
    2102.01063), with the mutation steps of their released code. An architecture is a tuple of
    stages, each a tuple of [`MacroBlock`][search_spaces.MacroBlock]s; every stage except the
    first halves the resolution in its first block. Mutations start from the layout of
    ResNet-18.

    A mutation changes one property in each of two blocks: the kernel, the width by a factor of
    1.25 or 1.5, or the depth by one layer; with bottlenecks, the width by a factor of 1.25,
    1.5, 2 or 2.5, the depth by up to two layers, the kind of the block, or its inner width. A
    block that grows beyond five layers is split into two, which are then mutated separately. A
    layer is one residual block; in the released code, a layer of bottlenecks is two.

    For example, `k3c64n2-k3c128n1+k5c96b24n3` has a stage of two layers with 64 channels and
    kernel 3, and a stage of one such layer with 128 channels and of three bottlenecks with
    kernel 5, 96 channels and 24 inner channels.

    Args:
        bottlenecks: whether blocks can be bottlenecks.
        image_size: 32 for a stem that keeps the resolution (one 3×3 convolution), 224 for
            one that reduces it to a quarter (7×7 convolution and pooling, each of stride 2).
            Networks accept images of any size.
        in_channels: channels of the images.
        max_layers: maximal number of layers of an architecture.
        widths: channels of the start's stages; the stem has as many channels as the first.

    Raises:
        ValueError: there are no stages, fewer layers than stages, an image size other than 32
            and 224, or widths that are not multiples of 8 from 8 to 2,048.

    Examples:
        >>> import torch
        >>> space = MacroSpace()
        >>> space.to_string(space.start)
        'k3c64n2-k3c128n2-k3c256n2-k3c512n2'
        >>> space.to_string(space.mutate(space.start, np.random.default_rng(0)))
        'k3c64n2-k3c128n2-k5c256n2-k5c512n2'
        >>> network = space.build(space.from_string("k3c8n1-k5c16n1-k3c16n2-k3c24n1"), 10)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        *,
        bottlenecks: bool = False,
        image_size: int = 32,
        in_channels: int = 3,
        max_layers: int = 18,
        widths: Sequence[int] = (64, 128, 256, 512),
    ) -> None:
        if image_size not in (32, 224):
            raise ValueError(f"Expected an image_size of 32 or 224, but got {image_size}")
        if not widths or max_layers < len(widths) or in_channels < 1:
            raise ValueError(
                "Expected a width per stage, max_layers of at least their number and in_channels "
                f"of at least 1, but got {widths}, {max_layers} and {in_channels}"
            )
        if not all(map(is_width, widths)):
            raise ValueError(f"Expected widths that are {WIDTHS}, but got {widths}")
        self.bottlenecks = bottlenecks
        self.image_size = image_size
        self.in_channels = in_channels
        self.max_layers = max_layers
        self.widths = tuple(widths)
        layers = min(2, max_layers // len(widths))
        self.start: Architecture = tuple((MacroBlock(3, width, layers),) for width in widths)

    @property
    def size(self) -> int | None:
        """`None`: there are far too many architectures to enumerate."""
        return None

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Apply up to 16 random mutations to the start, at 1, 1/2, 1/4 or 1/8 of its width."""
        # Mutations alone seldom lead from ResNet-18 to a student of a tenth of its size.
        arch = _narrowed(self.start, NARROWINGS[rng.integers(len(NARROWINGS))])
        for _ in range(rng.integers(WALK + 1)):
            arch = self.mutate(arch, rng)
        return arch

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one property in each of two random blocks (or in the only one)."""
        stages = [list(stage) for stage in arch]
        indices = [(i, j) for i, stage in enumerate(arch) for j in range(len(stage))]
        for chosen in rng.choice(len(indices), size=min(2, len(indices)), replace=False):
            i, j = indices[chosen]
            spare = self.max_layers - sum(map(layer_count, stages))
            changes = [change for change in self._changes(stages[i][j], spare) if change]
            change = changes[rng.integers(len(changes))]
            stages[i][j] = change[rng.integers(len(change))]
        return tuple(tuple(part for block in stage for part in split(block)) for stage in stages)

    def _changes(self, block: MacroBlock, spare: int) -> list[list[MacroBlock]]:
        """Return possible mutations of a block, one list per property.

        Args:
            block: the block.
            spare: number of layers that the architecture can still add.
        """
        most = 2 if self.bottlenecks else 1
        steps = range(max(-most, 1 - block.layers), min(most, spare) + 1)
        changes = [
            [block._replace(kernel=kernel) for kernel in KERNELS if kernel != block.kernel],
            [block._replace(channels=width) for width in self._other_widths(block.channels)],
            [block._replace(layers=block.layers + step) for step in steps if step],
        ]
        if block.bottleneck is not None:
            inner = self._other_widths(block.bottleneck)
            changes.append([block._replace(bottleneck=width) for width in inner])
            changes.append([block._replace(bottleneck=None)])
        elif self.bottlenecks:
            # He et al. make bottlenecks a quarter as wide as their output.
            changes.append([block._replace(bottleneck=nearest_width(block.channels / 4))])
        return changes

    def _other_widths(self, width: int) -> list[int]:
        factors = BOTTLENECK_FACTORS if self.bottlenecks else BASIC_FACTORS
        return sorted({nearest_width(width * factor) for factor in factors} - {width})

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Take each block from either parent, or whole stages if their numbers of blocks differ.

        If the child would have too many layers, the shallower part is taken.
        """
        stages = [list(exchangeable(one, other)) for one, other in zip(a, b, strict=True)]
        pairs = [pair for stage in stages for pair in stage]
        spare = self.max_layers - sum(min(map(layer_count, pair)) for pair in pairs)
        child = []
        for stage in stages:
            blocks: list[MacroBlock] = []
            for pair in stage:
                shallower = min(pair, key=layer_count)
                part = pair[rng.integers(2)]
                if layer_count(part) - layer_count(shallower) > spare:
                    part = shallower
                spare -= layer_count(part) - layer_count(shallower)
                blocks += part
            child.append(tuple(blocks))
        return tuple(child)

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build stem, residual blocks, pooling and the linear head.

        The residual blocks are the elements of one `nn.Sequential`.
        """
        channels = self.widths[0]
        blocks: list[nn.Module] = []
        for block, stride in _layer_by_layer(arch):
            blocks.append(ResidualBlock(channels, block, stride))
            channels = block.channels
        parts = OrderedDict[str, nn.Module](
            stem=self._stem(),
            blocks=nn.Sequential(*blocks),
            pool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            classifier=nn.Linear(channels, num_classes),
        )
        network = nn.Sequential(parts)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        return network

    def _stem(self) -> nn.Sequential:
        width = self.widths[0]
        if self.image_size == 32:
            return nn.Sequential(*conv_bn(self.in_channels, width, 3), nn.ReLU())
        pooling = nn.MaxPool2d(3, stride=2, padding=1)
        return nn.Sequential(*conv_bn(self.in_channels, width, 7, 2), nn.ReLU(), pooling)

    def to_string(self, arch: Architecture) -> str:
        """Return blocks as in `k3c64b16n2`, joined by `+` within and by `-` between stages."""
        return "-".join("+".join(map(str, stage)) for stage in arch)

    def from_string(self, text: str) -> Architecture:
        """Parse stages of blocks as in `k3c64n2-k3c128n1+k5c96n3-k3c256n2-k3c512n2`."""
        stages = text.strip().split("-")
        try:
            arch = tuple(tuple(map(MacroBlock.parse, stage.split("+"))) for stage in stages)
        except ValueError as error:
            raise ValueError(self._expected(text)) from error
        if len(arch) != len(self.widths) or sum(map(layer_count, arch)) > self.max_layers:
            raise ValueError(self._expected(text))
        if not self.bottlenecks and any(block.bottleneck for stage in arch for block in stage):
            raise ValueError(self._expected(text))
        return arch

    def _expected(self, text: str) -> str:
        inner = ", perhaps b and bottleneck channels" if self.bottlenecks else ""
        return (
            f"Expected an architecture like {self.to_string(self.start)}: {len(self.widths)} "
            "stages joined by -, each of blocks joined by +, each block k and a kernel of 3, 5 "
            f"or 7, c and channels{inner} ({WIDTHS}), n and 1 to {DEEPEST} layers, at most "
            f"{self.max_layers} layers in all, but got {text!r}"
        )

    def canonical_key(self, arch: Architecture) -> str:
        """Return the name after merging consecutive blocks that only differ in depth.

        Examples:
            >>> space = MacroSpace(widths=(64, 128))
            >>> space.canonical_key(space.from_string("k3c64n2+k3c64n4-k3c64n1"))
            'k3c64n6-k3c64n1'
        """
        return self.to_string(tuple(map(merged, arch)))


def _narrowed(arch: Architecture, times: int) -> Architecture:
    return tuple(
        tuple(block._replace(channels=nearest_width(block.channels / times)) for block in stage)
        for stage in arch
    )


def _layer_by_layer(arch: Architecture) -> Iterator[tuple[MacroBlock, int]]:
    """Yield all layers with their strides."""
    for i, stage in enumerate(arch):
        layers = [block for block in stage for _ in range(block.layers)]
        for j, block in enumerate(layers):
            yield block, 2 if i > 0 and j == 0 else 1
