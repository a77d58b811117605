"""The module of NAS-Bench-101: a graph of operations, and the network it is in."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from search_spaces._macro_blocks import conv_bn

OPERATIONS = ("conv1x1", "conv3x3", "maxpool3x3")


class NASBench101Architecture(NamedTuple):
    """A module whose vertices are all on a path from its input to its output.

    Attributes:
        operations: operations of the vertices between input and output.
        edges: for each vertex except the output, a text of 0 and 1: which later vertices read it.
    """

    operations: tuple[str, ...]
    edges: tuple[str, ...]

    def has(self, source: int, target: int) -> bool:
        """Return whether a vertex is read by another; 0 is the input."""
        return source < target and self.edges[source][target - source - 1] == "1"


def vertex_channels(arch: NASBench101Architecture, channels: int) -> list[int]:
    """Return the channels of the vertices between input and output.

    Vertices that the output reads divide its channels; if these cannot be divided evenly, the
    first ones have one more. Each other vertex has as many as the widest vertex that reads it.

    Examples:
        >>> both = NASBench101Architecture(("conv3x3", "conv3x3"), ("110", "01", "1"))
        >>> vertex_channels(both, 7)
        [4, 3]
    """
    last = len(arch.operations) + 1
    ends = [vertex for vertex in range(1, last) if arch.has(vertex, last)]
    results = [0] * last
    for index, vertex in enumerate(ends):
        results[vertex] = channels // len(ends) + (index < channels % len(ends))
    for vertex in range(last - 1, 0, -1):
        if vertex not in ends:
            results[vertex] = max(
                results[t] for t in range(vertex + 1, last) if arch.has(vertex, t)
            )
    return results[1:]


def conv_bn_relu(in_channels: int, out_channels: int, kernel: int) -> nn.Sequential:
    """Return a convolution with BatchNorm and ReLU, which keeps the resolution."""
    return nn.Sequential(*conv_bn(in_channels, out_channels, kernel, momentum=0.003), nn.ReLU())


def _operation(name: str, channels: int) -> nn.Module:
    if name == "maxpool3x3":
        return nn.MaxPool2d(3, stride=1, padding=1)
    return conv_bn_relu(channels, channels, 3 if name == "conv3x3" else 1)


class Module101(nn.Module):
    """One module: vertices add their inputs, and the output concatenates its inputs.

    The input of the module is projected by 1×1 convolutions; of other vertices, the first
    channels are read. An edge from input to output adds the projected input to the output.

    Args:
        arch: the graph.
        in_channels: channels of the input.
        channels: channels of the output.
    """

    def __init__(self, arch: NASBench101Architecture, in_channels: int, channels: int) -> None:
        super().__init__()
        self._arch, self._last = arch, len(arch.operations) + 1
        self._channels = vertex_channels(arch, channels)
        widths = [*self._channels, channels]
        self.projections = nn.ModuleDict(
            {
                str(vertex): conv_bn_relu(in_channels, widths[vertex - 1], 1)
                for vertex in range(1, self._last + 1)
                if arch.has(0, vertex)
            }
        )
        self.operations = nn.ModuleList(
            _operation(name, width)
            for name, width in zip(arch.operations, self._channels, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, channels, H, W)."""
        values: list[Tensor] = []
        for vertex, operation in enumerate(self.operations, start=1):
            read = [
                values[source - 1][:, : self._channels[vertex - 1]]
                for source in range(1, vertex)
                if self._arch.has(source, vertex)
            ]
            read += self._projected(x, vertex)
            values.append(operation(sum(read[1:], start=read[0])))
        ends = [values[v - 1] for v in range(1, self._last) if self._arch.has(v, self._last)]
        terms = ([torch.cat(ends, dim=1)] if ends else []) + self._projected(x, self._last)
        return sum(terms[1:], start=terms[0])

    def _projected(self, x: Tensor, vertex: int) -> list[Tensor]:
        name = str(vertex)
        return [self.projections[name](x)] if name in self.projections else []


def network_101(
    arch: NASBench101Architecture, outputs: int, *, in_channels: int, channels: int
) -> nn.Sequential:
    """Return stem, three stacks of three modules with pooling between them, and linear head."""
    layers: list[nn.Module] = [conv_bn_relu(in_channels, channels, 3)]
    width, before = channels, channels
    for stack in range(3):
        if stack:
            layers.append(nn.MaxPool2d(2, stride=2))
            width *= 2
        for _ in range(3):
            layers.append(Module101(arch, before, width))
            before = width
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs)]
    return nn.Sequential(*layers, *head)
