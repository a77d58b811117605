"""What every search space offers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from torch import nn

from search_spaces._signature import Signature

Architecture: TypeAlias = Any
"""A point of a search space: any plain, hashable value that its space understands."""


class SearchSpace(ABC):
    """A set of architectures: how to draw, vary, name and build them.

    A space is a value: its methods have no side effects, and all chance comes
    from the generator that is passed in.
    """

    @property
    @abstractmethod
    def size(self) -> int | None:
        """How many architectures there are; `None` where they cannot be counted."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw one architecture at random."""

    @abstractmethod
    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a neighbour of `arch`."""

    @abstractmethod
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of `a` and `b`."""

    @abstractmethod
    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the network of `arch`, freshly initialised, with `num_classes` outputs."""

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network of `arch` for what it is to take and give.

        By default [`build`][search_spaces.SearchSpace.build] with as many outputs; a space
        whose networks depend on their inputs (a vocabulary, a length) overrides it.
        """
        return self.build(arch, signature.outputs)

    @abstractmethod
    def to_string(self, arch: Architecture) -> str:
        """Write `arch` as one line of text."""

    @abstractmethod
    def from_string(self, text: str) -> Architecture:
        """Read what [`to_string`][search_spaces.SearchSpace.to_string] wrote.

        Raises:
            ValueError: `text` names no architecture of this space.
        """

    def canonical_key(self, arch: Architecture) -> str:
        """Name the network that `arch` builds: networks of equal keys compute the same.

        They do so at initialisation, with weights of equal shape tied; parameters that
        have no effect then may differ.
        """
        return self.to_string(arch)

    def effective(self, arch: Architecture) -> Architecture:
        """Return `arch` without what has no effect on the output: the network that is scored.

        It computes the same as `arch`; by default it is `arch`.
        """
        return arch

    def __iter__(self) -> Iterator[Architecture]:
        """Go through all architectures, where there are finitely many.

        Raises:
            TypeError: the space cannot be enumerated.
        """
        raise TypeError(f"{type(self).__name__} cannot be enumerated")
