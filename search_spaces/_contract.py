"""What every search space offers."""

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
"""A point of a search space: any plain, hashable value that its space understands."""

OUTPUT = "logits"
"""Entry, field or attribute that is the output of a network which returns more than a tensor."""


def _naming_the_nearest(init: Callable[..., None]) -> Callable[..., None]:
    """Let a constructor refuse unknown options with the name of the nearest one."""
    kinds = {name: each.kind for name, each in inspect.signature(init).parameters.items()}
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
    """A set of architectures: how to draw, vary, name and build them.

    A space is a value: its methods have no side effects, and all chance comes
    from the generator that is passed in.
    """

    def __init_subclass__(cls, **others: Any) -> None:
        super().__init_subclass__(**others)
        if "__init__" in vars(cls):
            type.__setattr__(cls, "__init__", _naming_the_nearest(vars(cls)["__init__"]))

    @property
    @abstractmethod
    def size(self) -> int | None:
        """How many architectures there are; `None` where they cannot be counted."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw one architecture at random."""

    @abstractmethod
    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a neighbor of `arch`."""

    @abstractmethod
    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of `a` and `b`."""

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the network of `arch`, freshly initialized, with `num_classes` outputs.

        Every space defines this or `network`.

        Raises:
            ValueError: networks of the space depend on their inputs too.
        """
        raise ValueError(
            f"A network of {type(self).__name__} depends on more than its {num_classes} outputs: "
            f"call network({self.to_string(arch)!r}, signature)"
        )

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network of `arch` for what it is to take and give.

        By default [`build`][search_spaces.SearchSpace.build] with as many outputs; a space
        whose networks depend on their inputs (a vocabulary, a length) defines it in place of that.
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

        They do so at initialization, with weights of equal shape tied; parameters that
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


def made_for(kind: Callable[..., _T], signature: Signature, **options: Any) -> _T:
    """Return what a class or function of spaces makes for what networks are to take.

    Args:
        kind: called with `in_channels`, the first axis of the first input, where it takes that.
        signature: what networks are to take and give.
        **options: more that it is called with.
    """
    first = signature.inputs[0].shape[:1]
    if "in_channels" in inspect.signature(kind).parameters and first and first[0] is not None:
        options["in_channels"] = first[0]
    return kind(**options)
