"""Divide a space into sub-spaces by size, and unite several spaces to one."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from torch import nn

from search_spaces._choice_space import ChoiceSpace
from search_spaces._contract import Architecture, SearchSpace
from search_spaces._signature import Signature


def partition(
    space: SearchSpace, count: int, signature: Signature
) -> tuple[tuple[Architecture, ...], ...]:
    """Divide the architectures of a space into parts of equal count and increasing size.

    Source: AutoDistil (Xu et al., NeurIPS 2022, section 3.1), which divides a space of
    transformers into compact sub-spaces by size. Size is the number of parameters, counted on
    the meta device.

    Args:
        space: a space that can be enumerated.
        count: number of parts.
        signature: shapes of the networks' inputs and outputs.

    Raises:
        ValueError: the space cannot be enumerated, or a part would be empty.

    Examples:
        >>> from search_spaces import NATSSizeSpace, Signature, TensorSpec, TextEncoderSpace
        >>> space = TextEncoderSpace(layers=(1, 2), hidden=(8, 16), heads=(1,), ratios=(1,))
        >>> texts = Signature((TensorSpec("input_ids", (8,), "int64", high=9),
        ...                    TensorSpec("attention_mask", (8,), "bool")), 2)
        >>> [[arch.hidden for arch in part] for part in partition(space, 2, texts)]
        [[8, 8], [16, 16]]
    """
    if not isinstance(space, ChoiceSpace | UnionSpace):
        raise ValueError(
            f"Expected a space of choices that can be enumerated, but got {type(space).__name__}"
        )
    archs = list(dict.fromkeys(space))
    if not 1 <= count <= len(archs):
        raise ValueError(
            f"Expected 1 to {len(archs)} parts of {len(archs)} architectures, since none may be "
            f"empty, but got {count}"
        )
    # Parts are consecutive in the order of parameters, with equal numbers of architectures.
    ranked = sorted(archs, key=lambda arch: (_parameters(space, arch, signature), arch))
    ends = [len(ranked) * part // count for part in range(count + 1)]
    return tuple(tuple(ranked[start:end]) for start, end in pairwise(ends))


def covering(archs: Sequence[Architecture]) -> Architecture:
    """Return the architecture with the largest value of every field among `archs`.

    The networks of all of them are slices of its network.
    """
    return type(archs[0])(*map(max, zip(*archs, strict=True)))


def _parameters(space: SearchSpace, arch: Architecture, signature: Signature) -> int:
    import torch  # the meta device alone is needed of it

    with torch.device("meta"):
        network = space.network(arch, signature)
    return sum(parameter.numel() for parameter in network.parameters())


class UnionSpace(SearchSpace):
    """The union of spaces with the same fields, such as AutoDistil's Tiny, Small and Base.

    An architecture belongs to the first part that contains it. Mutations stay within a part,
    because parts may be far apart.

    Args:
        parts: spaces by name, all with the same fields.

    Raises:
        ValueError: there are no parts, or their fields differ.

    Examples:
        >>> from search_spaces import TextEncoderSpace
        >>> space = UnionSpace({size: TextEncoderSpace.autodistil(size) for size in
        ...                     ("tiny", "small", "base")})
        >>> space.size
        768
    """

    def __init__(self, parts: Mapping[str, ChoiceSpace]) -> None:
        if not parts or len({tuple(part.fields) for part in parts.values()}) != 1:
            raise ValueError("Expected one or more spaces of the same fields")
        self.parts = dict(parts)

    @property
    def size(self) -> int:
        """Sum of the parts' sizes; an architecture in two parts counts twice."""
        return sum(part.size for part in self.parts.values())

    def __iter__(self) -> Any:
        """Yield all architectures, part by part."""
        for part in self.parts.values():
            yield from part

    def part_of(self, arch: Architecture) -> ChoiceSpace:
        """Return the first part that contains an architecture.

        Raises:
            ValueError: no part contains it.
        """
        for part in self.parts.values():
            fields = zip(arch, part.fields.values(), strict=True)
            if all(value in choice.options for value, choice in fields):
                return part
        raise ValueError(f"Expected an architecture of {', '.join(self.parts)}, but got {arch}")

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw a part with probability proportional to its size, and an architecture of it."""
        sizes = np.array([part.size for part in self.parts.values()], dtype=float)
        # Weighted by size, so that all architectures of the union are equally likely.
        part = rng.choice(len(sizes), p=sizes / sizes.sum())
        return list(self.parts.values())[part].sample(rng)

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one field within the part."""
        return self.part_of(arch).mutate(arch, rng)

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Take each field from either parent; return one parent if they are in other parts."""
        part = self.part_of(a)
        return part.crossover(a, b, rng) if part is self.part_of(b) else (a, b)[rng.integers(2)]

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the network by the part that contains the architecture."""
        return self.part_of(arch).build(arch, num_classes)

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network by the part that contains the architecture."""
        return self.part_of(arch).network(arch, signature)

    def to_string(self, arch: Architecture) -> str:
        """Return the name of the architecture in its part."""
        return self.part_of(arch).to_string(arch)

    def from_string(self, text: str) -> Architecture:
        """Parse the name of an architecture of any part.

        Raises:
            ValueError: no part contains it.
        """
        errors = []
        for part in self.parts.values():
            try:
                return part.from_string(text)
            except ValueError as error:
                errors.append(error)
        raise errors[0]
