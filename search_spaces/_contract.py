"""The interface of search spaces."""

import difflib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, TypeAlias, TypeVar

import numpy as np
from torch import nn

from search_spaces._signature import Signature

_T = TypeVar("_T")

Architecture: TypeAlias = Any
"""A point of a search space: any hashable value that the space defines."""

OUTPUT = "logits"
"""Key or attribute of the output, if a network returns a dictionary or object."""


def _naming_the_nearest(init: Callable[..., None]) -> Callable[..., None]:
    """Wrap a constructor so that errors for unknown options suggest the nearest name."""
    kinds = {name: parameter.kind for name, parameter in inspect.signature(init).parameters.items()}
    known = [name for name in kinds if name != "self"]
    if inspect.Parameter.VAR_KEYWORD in kinds.values():
        return init

    @wraps(init)
    def checked(self: object, *args: Any, **options: Any) -> None:
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
                guess = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
                raise TypeError(f"{type(self).__name__} has no option {name!r}: {guess}")
        init(self, *args, **options)

    return checked


class SearchSpace(ABC):
    """Base class of search spaces: how to sample, mutate, name and build architectures.

    Methods have no side effects, and all randomness comes from the generator that is passed in.
    """

    def __init_subclass__(cls, **others: Any) -> None:
        super().__init_subclass__(**others)
        if "__init__" in vars(cls):
            type.__setattr__(cls, "__init__", _naming_the_nearest(vars(cls)["__init__"]))

    @property
    @abstractmethod
    def size(self) -> int | None:
        """Number of architectures; `None` if they cannot be enumerated."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw one architecture at random."""

    @abstractmethod
    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a random neighbor of `arch`."""

    @abstractmethod
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a random combination of `a` and `b`."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the network of `arch` with new random weights.

        Every space implements this method or `network`.

        Args:
            arch: an architecture of the space.
            num_classes: number of outputs.

        Raises:
            ValueError: networks of this space also depend on their inputs; use `network`.
        """
        raise ValueError(
            f"A network of {type(self).__name__} depends on more than its {num_classes} outputs: "
            f"call network({self.to_string(arch)!r}, signature)"
        )

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network of `arch` for given inputs and outputs.

        By default, calls [`build`][search_spaces.SearchSpace.build] with the number of outputs.
        A space whose networks depend on their inputs (vocabulary size, length of texts)
        implements this method instead.

        Args:
            arch: an architecture of the space.
            signature: shapes of the network's inputs and outputs.
        """
        return self.build(arch, signature.outputs)

    @abstractmethod
    def to_string(self, arch: Architecture) -> str:
        """Return the name of `arch`, one line of text."""

    @abstractmethod
    def from_string(self, text: str) -> Architecture:
        """Parse a name made by [`to_string`][search_spaces.SearchSpace.to_string].

        Raises:
            ValueError: `text` is not the name of an architecture of this space.
        """

    def canonical_key(self, arch: Architecture) -> str:
        """Return a key that is equal for architectures whose networks compute the same function.

        "The same" is meant at initialization, with equal weights where shapes agree; parameters
        without effect may differ. By default the name of the architecture.
        """
        return self.to_string(arch)

    def effective(self, arch: Architecture) -> Architecture:
        """Return `arch` without parts that have no effect on the output; scores are based on it.

        Its network computes the same function. By default `arch` itself.
        """
        return arch

    def __iter__(self) -> Iterator[Architecture]:
        """Yield all architectures.

        Raises:
            TypeError: the space cannot be enumerated.
        """
        raise TypeError(f"{type(self).__name__} cannot be enumerated")


def made_for(kind: Callable[..., _T], signature: Signature, **options: Any) -> _T:
    """Make a search space for given inputs and outputs.

    Args:
        kind: a class or function that returns a space. If it has a parameter `in_channels`, it
            gets the first axis of the first input.
        signature: shapes of the networks' inputs and outputs.
        **options: further arguments of `kind`.
    """
    first = signature.inputs[0].shape[:1]
    if "in_channels" in inspect.signature(kind).parameters and first and first[0] is not None:
        options["in_channels"] = first[0]
    return kind(**options)
