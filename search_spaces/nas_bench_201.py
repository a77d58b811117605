"""The cell space of NAS-Bench-201."""

from collections.abc import Sequence

import torch
from nas_201_api import NASBench201API
from torch import Tensor, nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2))
"""Edges of the cell as (node, input node), in the order of the architecture string."""


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution and batch normalization, as in the benchmark."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )


def _operation(name: str, in_channels: int, channels: int) -> nn.Module:
    match name:
        case "nor_conv_1x1" | "nor_conv_3x3":
            return ReLUConvBN(in_channels, channels, 1 if name == "nor_conv_1x1" else 3)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    if in_channels == channels:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, bias=False), nn.BatchNorm2d(channels))


class Cell(nn.Module):
    """A directed graph of four nodes; a node is the sum of the operations on its incoming edges.

    Args:
        operations: operations of the edges, in the order of `EDGES`.
        channels: channels of the output and of all nodes except the first.
        in_channels: channels of the input; by default `channels`. If they differ, a skip
            connection from the input is a 1×1 convolution, and the input cannot be pooled.
    """

    def __init__(
        self, operations: Sequence[str], channels: int, *, in_channels: int | None = None
    ) -> None:
        super().__init__()
        live = [
            (edge, name) for edge, name in zip(EDGES, operations, strict=True) if name != "none"
        ]
        self.inputs = [[source for (node, source), _ in live if node == n] for n in (1, 2, 3)]
        self.edges = nn.ModuleDict(
            {
                f"{node}<{source}": _operation(
                    name, channels if source > 0 or in_channels is None else in_channels, channels
                )
                for (node, source), name in live
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, channels, H, W)."""
        nodes = [x]
        for node, sources in enumerate(self.inputs, start=1):
            terms = [self.edges[f"{node}<{source}"](nodes[source]) for source in sources]
            nodes.append(sum(terms[1:], start=terms[0]) if terms else torch.zeros_like(x))
        return nodes[-1]


class Reduction(nn.Module):
    """The residual block of stride 2 between two stages."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_a = ReLUConvBN(in_channels, out_channels, 3, stride=2)
        self.conv_b = ReLUConvBN(out_channels, out_channels, 3)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, stride=2), nn.Conv2d(in_channels, out_channels, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/2, W/2)."""
        y: Tensor = self.shortcut(x) + self.conv_b(self.conv_a(x))
        return y


class NASBench201Space(ChoiceSpace):
    """The 15,625 cells of NAS-Bench-201, in the benchmark's macro structure.

    Source: Dong and Yang, "NAS-Bench-201", ICLR 2020, section 2. An architecture has one of
    five operations for each of six edges, and is written as in the benchmark. Networks
    compute the same functions as in the benchmark, including edges without effect. Their costs
    equal the costs in its tables, except for 150 cells, for which the tables have the costs of
    another cell that is equal up to skip connections.

    Args:
        channels: channels of the first stage (C in the paper); the next two double it.
        cells: cells per stage (N in the paper).
        in_channels: channels of the images.

    Examples:
        >>> space = NASBench201Space()
        >>> space.size
        15625
        >>> arch = space.from_string(
        ...     "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|skip_connect~2|")
        >>> space.canonical_key(arch)
        '#+#+#+(0)@nor_conv_3x3'
    """

    def __init__(self, *, channels: int = 16, cells: int = 5, in_channels: int = 3) -> None:
        if min(channels, cells, in_channels) < 1:
            raise ValueError(
                "Expected channels, cells and in_channels of at least 1, "
                f"but got {channels}, {cells}, {in_channels}"
            )
        super().__init__({f"edge_{node}_{source}": Choice(*OPERATIONS) for node, source in EDGES})
        self.channels = channels
        self.cells = cells
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build stem, three stages of cells with reductions in between, and the linear head."""
        widths = [self.channels, 2 * self.channels, 4 * self.channels]
        layers: list[nn.Module] = [
            nn.Conv2d(self.in_channels, widths[0], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
        ]
        for stage, width in enumerate(widths):
            if stage > 0:
                layers.append(Reduction(widths[stage - 1], width))
            layers += [Cell(arch, width) for _ in range(self.cells)]
        layers += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], num_classes)]
        return nn.Sequential(*layers, *head)

    def to_string(self, arch: Architecture) -> str:
        """Return the benchmark's string, with nodes joined by `+`."""
        edges = [f"{name}~{source}" for name, (_, source) in zip(arch, EDGES, strict=True)]
        return "+".join(f"|{'|'.join(edges[i:j])}|" for i, j in ((0, 1), (1, 3), (3, 6)))

    def from_string(self, text: str) -> Architecture:
        """Parse the benchmark's string."""
        try:
            nodes = NASBench201API.str2lists(text.strip())
        except (AssertionError, ValueError) as error:
            raise ValueError(_expected(text)) from error
        if [[source for _, source in node] for node in nodes] != [[0], [0, 1], [0, 1, 2]]:
            raise ValueError(_expected(text))
        names = [name for node in nodes for name, _ in node]
        return self._parse(dict(zip(self.fields, names, strict=True)))

    def canonical_key(self, arch: Architecture) -> str:
        """Return the benchmark's isomorphism class: the output as an expression of the input.

        Nodes are sorted sums, skip connections are omitted, and `#` stands for zero. The
        15,625 cells have 6,466 distinct expressions.
        """
        expressions = ["0"]
        for node in (1, 2, 3):
            terms = [
                _apply(name, expressions[source])
                for name, (target, source) in zip(arch, EDGES, strict=True)
                if target == node
            ]
            expressions.append("+".join(sorted(terms)))
        return expressions[-1]

    def effective(self, arch: Architecture) -> Architecture:
        """Return the cell without edges that are not on any path from input to output.

        Examples:
            >>> space = NASBench201Space()
            >>> arch = space.from_string(
            ...     "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|avg_pool_3x3~2|")
            >>> space.to_string(space.effective(arch))
            '|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|'
        """
        open_edges = {edge for edge, name in zip(EDGES, arch, strict=True) if name != "none"}
        # Nodes reachable from the input, and nodes from which the output can be reached.
        fed, heard = {0}, {3}
        for node, source in EDGES:
            if (node, source) in open_edges and source in fed:
                fed.add(node)
        for node, source in reversed(EDGES):
            if (node, source) in open_edges and node in heard:
                heard.add(source)
        names = (
            name if source in fed and node in heard else "none"
            for name, (node, source) in zip(arch, EDGES, strict=True)
        )
        return self.architecture(*names)


def _apply(operation: str, expression: str) -> str:
    if operation == "none" or expression == "#":
        return "#"
    return expression if operation == "skip_connect" else f"({expression})@{operation}"


def _expected(text: str) -> str:
    return (
        "Expected a NAS-Bench-201 cell like "
        "|skip_connect~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|nor_conv_3x3~2|, "
        f"but got {text!r}"
    )
