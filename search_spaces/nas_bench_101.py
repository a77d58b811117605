"""The cell space of NAS-Bench-101."""

import hashlib
from collections.abc import Sequence

import numpy as np
from torch import nn

from search_spaces._contract import SearchSpace
from search_spaces._modules_101 import (
    OPERATIONS,
    NASBench101Architecture,
    network_101,
    vertex_channels,
)

VERTICES, EDGES = 7, 9
"""Maximum number of vertices of a module, including input and output, and of edges."""


def module_101(
    matrix: Sequence[Sequence[int]], operations: Sequence[str]
) -> NASBench101Architecture:
    """Return the module of an adjacency matrix, pruned to vertices between input and output.

    Args:
        matrix: 1 for an edge from the vertex of the row to that of the column; the first vertex
            is the input, the last the output.
        operations: operations of the vertices between them.

    Raises:
        ValueError: the matrix or operations are invalid, no path connects input and output, or
            the pruned module has more than seven vertices or nine edges.

    Examples:
        >>> module_101([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        ...            ["conv3x3", "conv1x1"])
        NASBench101Architecture(operations=(), edges=('1',))
    """
    found = np.array(matrix, dtype=int, ndmin=2)
    size = len(operations) + 2
    binary = ((found == 0) | (found == 1)).all()
    upper = found.shape == (size, size) and binary and not np.tril(found).any()
    if not upper or any(name not in OPERATIONS for name in operations):
        raise ValueError(
            "Expected a matrix of 0 and 1 above its diagonal, and an operation "
            f"({', '.join(OPERATIONS)}) for each vertex but the first and the last"
        )
    reach = np.linalg.matrix_power(found + np.eye(size, dtype=int), size) > 0
    kept = np.flatnonzero(reach[0] & reach[:, -1])
    found = found[np.ix_(kept, kept)]
    if not len(kept) or len(kept) > VERTICES or found.sum() > EDGES:
        raise ValueError(
            f"Expected a module of at most {VERTICES} vertices and {EDGES} edges on paths from "
            "its input to its output, of which there is one or more"
        )
    rows = ["".join(map(str, row[index + 1 :])) for index, row in enumerate(found)]
    return NASBench101Architecture(tuple(operations[i - 1] for i in kept[1:-1]), tuple(rows[:-1]))


class NASBench101Space(SearchSpace):
    """The 423,624 modules of NAS-Bench-101, in the benchmark's macro structure.

    Source: Ying et al., "NAS-Bench-101", ICML 2019, section 2. An architecture is a graph of up
    to seven vertices and nine edges. It is written as the operations between input and output,
    and the upper triangle of the adjacency matrix, row by row: `conv3x3,maxpool3x3:110-01-1`.

    Args:
        channels: channels of the first stack; each later stack has twice as many.
        in_channels: channels of the images.

    Raises:
        ValueError: `channels` is below 5, or `in_channels` below 1.

    Examples:
        >>> space = NASBench101Space()
        >>> arch = space.from_string("conv3x3,conv3x3:110-01-1")
        >>> space.to_string(arch)
        'conv3x3,conv3x3:110-01-1'
    """

    def __init__(self, *, channels: int = 128, in_channels: int = 3) -> None:
        if channels < VERTICES - 2 or in_channels < 1:
            raise ValueError(
                f"Expected channels of at least {VERTICES - 2}, that many vertices can have to "
                f"share, and in_channels of at least 1, but got {channels}, {in_channels}"
            )
        self.channels, self.in_channels = channels, in_channels

    @property
    def size(self) -> int | None:
        """`None`: the space cannot be enumerated without building all graphs."""
        return None

    def sample(self, rng: np.random.Generator) -> NASBench101Architecture:
        """Draw a matrix and operations until they are a valid module."""
        while True:
            matrix = np.triu(rng.integers(2, size=(VERTICES, VERTICES)), k=1)
            operations = [OPERATIONS[i] for i in rng.integers(len(OPERATIONS), size=VERTICES - 2)]
            result = _module(matrix, operations)
            if result is not None:
                return result

    def mutate(
        self, arch: NASBench101Architecture, rng: np.random.Generator
    ) -> NASBench101Architecture:
        """Change one edge and one operation on average, until the result is another module."""
        while True:
            matrix, operations = _padded(arch, rng)
            flips = np.triu(rng.random(matrix.shape) < 2 / (VERTICES * (VERTICES - 1)), k=1)
            drawn = rng.integers(len(OPERATIONS), size=len(operations))
            changed = rng.random(len(operations)) < 1 / len(operations)
            operations = [
                OPERATIONS[new] if change else old
                for old, new, change in zip(operations, drawn, changed, strict=True)
            ]
            result = _module(matrix ^ flips, operations)
            if result is not None and result != arch:
                return result

    def crossover(
        self,
        a: NASBench101Architecture,
        b: NASBench101Architecture,
        rng: np.random.Generator,
    ) -> NASBench101Architecture:
        """Take each edge and operation from one of two modules, until the result is valid."""
        while True:
            (one, ours), (other, theirs) = _padded(a, rng), _padded(b, rng)
            first = rng.random(one.shape) < 0.5
            operations = [(p, q)[int(rng.integers(2))] for p, q in zip(ours, theirs, strict=True)]
            result = _module(np.where(first, one, other), operations)
            if result is not None:
                return result

    def build(self, arch: NASBench101Architecture, num_classes: int) -> nn.Module:
        """Build stem, three stacks of three modules, and the linear head."""
        return network_101(arch, num_classes, in_channels=self.in_channels, channels=self.channels)

    def to_string(self, arch: NASBench101Architecture) -> str:
        """Write operations and edges."""
        return f"{','.join(arch.operations)}:{'-'.join(arch.edges)}"

    def from_string(self, text: str) -> NASBench101Architecture:
        """Parse operations and edges.

        Raises:
            ValueError: the text is invalid, or has vertices that are on no path.
        """
        words, colon, bits = text.strip().partition(":")
        operations, rows = [part for part in words.split(",") if part], bits.split("-")
        lengths = [*range(len(operations) + 1, 0, -1)]
        if not colon or [len(row) for row in rows] != lengths or set("".join(rows)) - {"0", "1"}:
            raise ValueError(
                "Expected operations and what reads each vertex, for example "
                f"conv3x3,maxpool3x3:110-01-1, but got {text!r}"
            )
        size = len(operations) + 2
        matrix = [[0] * (size - len(row)) + [int(bit) for bit in row] for row in rows]
        result = module_101([*matrix, [0] * size], operations)
        if self.to_string(result) != text.strip():
            raise ValueError(
                "Expected every vertex on a path from input to output, but got "
                f"{text!r}: write {self.to_string(result)}"
            )
        return result

    def canonical_key(self, arch: NASBench101Architecture) -> str:
        """Return a key of the graph, the same for isomorphic modules.

        The output concatenates its inputs, so their order and channels count. Other vertices are
        labeled by repeated hashes of their neighbors' labels.
        """
        size, widths = len(arch.operations) + 2, vertex_channels(arch, self.channels)
        ends = [index if arch.has(index, size - 1) else 0 for index in range(1, size - 1)]
        ranks = [sum(0 < end <= item for end in ends) for item in ends]
        vertices = zip(arch.operations, widths, ranks, strict=True)
        labels = ["input", *(" ".join(map(str, item)) for item in vertices), "output"]
        edges = [(s, t) for s in range(size) for t in range(s + 1, size) if arch.has(s, t)]
        for _ in range(size):
            labels = [
                _hash(
                    labels[v],
                    *sorted(labels[s] for s, t in edges if t == v),
                    "|",
                    *sorted(labels[t] for s, t in edges if s == v),
                )
                for v in range(size)
            ]
        return _hash(*sorted(labels))


def _hash(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:32]


def _module(
    matrix: np.typing.NDArray[np.int64], operations: Sequence[str]
) -> NASBench101Architecture | None:
    try:
        return module_101(matrix.tolist(), operations)
    except ValueError:
        return None


def _padded(
    arch: NASBench101Architecture, rng: np.random.Generator
) -> tuple[np.typing.NDArray[np.int64], list[str]]:
    """Return matrix and operations padded to seven vertices, by unconnected random ones."""
    size = len(arch.operations) + 2
    indices = [*range(size - 1), VERTICES - 1]
    matrix = np.zeros((VERTICES, VERTICES), dtype=np.int64)
    for source in range(size):
        for target in range(source + 1, size):
            matrix[indices[source], indices[target]] = arch.has(source, target)
    missing = rng.integers(len(OPERATIONS), size=VERTICES - size)
    return matrix, [*arch.operations, *(OPERATIONS[place] for place in missing)]
