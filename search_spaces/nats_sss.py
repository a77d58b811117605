"""The size space of NATS-Bench."""

from torch import nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces.nas_bench_201 import Cell, Reduction

WIDTHS = tuple(range(8, 65, 8))

CELL = (
    *("nor_conv_3x3", "nor_conv_3x3", "nor_conv_3x3"),
    *("skip_connect", "nor_conv_3x3", "nor_conv_3x3"),
)
"""Operations of every cell, in the order of NAS-Bench-201's edges."""


class NATSSizeSpace(ChoiceSpace):
    """The 32,768 networks of NATS-Bench's size space: one cell, five variable widths.

    Source: Dong et al., "NATS-Bench", IEEE TPAMI 2021, section 3.1. A network has a cell with
    `c1` channels, a reduction to `c2`, a cell to `c3`, a reduction to `c4` and a cell to `c5`;
    each width is 8, 16, …, or 64. The cell is the best of NAS-Bench-201 on CIFAR-100. An
    architecture is written `c1=16,c2=8,c3=64,c4=32,c5=40`, or as in NATS-Bench
    `16:8:64:32:40`.

    Args:
        in_channels: channels of the images.

    Raises:
        ValueError: `in_channels` is below 1.

    Examples:
        >>> space = NATSSizeSpace()
        >>> space.size
        32768
        >>> space.to_string(space.from_string("8:16:32:48:64"))
        'c1=8,c2=16,c3=32,c4=48,c5=64'
    """

    def __init__(self, *, in_channels: int = 3) -> None:
        if in_channels < 1:
            raise ValueError(f"Expected in_channels of at least 1, but got {in_channels}")
        super().__init__({f"c{number}": Choice(*WIDTHS) for number in range(1, 6)})
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build stem, three cells with reductions between, and the linear head."""
        c1, c2, c3, c4, c5 = arch
        return nn.Sequential(
            nn.Conv2d(self.in_channels, c1, 3, padding=1, bias=False),
            nn.BatchNorm2d(c1),
            Cell(CELL, c1),
            Reduction(c1, c2),
            Cell(CELL, c3, in_channels=c2),
            Reduction(c3, c4),
            Cell(CELL, c5, in_channels=c4),
            nn.BatchNorm2d(c5),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(c5, num_classes),
        )

    def from_string(self, text: str) -> Architecture:
        """Parse `c1=16,…`, or NATS-Bench's `16:8:64:32:40`."""
        widths = text.replace(" ", "").split(":")
        if len(widths) == len(self.fields):
            return self._parse(dict(zip(self.fields, widths, strict=True)))
        return super().from_string(text)
