"""Search spaces defined by a list of independent choices."""

import functools
import itertools
import math
import re
from collections import namedtuple
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np

from search_spaces._contract import Architecture, SearchSpace


@functools.cache
def _tuple_type(space: str, fields: tuple[str, ...]) -> Any:
    return namedtuple(space.removesuffix("Space") + "Architecture", fields)


class Choice:
    """One field of a [`ChoiceSpace`][search_spaces.ChoiceSpace]: the values it can take.

    Args:
        *options: hashable values with distinct texts, such as numbers or names.

    Raises:
        ValueError: there are no options, two are equal or have the same text, or a text has a
            space, comma or equals sign.

    Examples:
        >>> Choice(16, 32, 64).options
        (16, 32, 64)
    """

    def __init__(self, *options: Hashable) -> None:
        self.options = options
        self._by_text = {str(option): option for option in options}
        if not options:
            raise ValueError("Expected a Choice of at least one option, but got none")
        if len(self._by_text) < len(options) or len(set(options)) < len(options):
            raise ValueError(f"Expected options of different spelling and value, but got {options}")
        if any(not text or re.search(r"[\s,=]", text) for text in self._by_text):
            raise ValueError(
                "Expected options that are written without spaces, commas and equals signs, "
                f"but got {options}: use names or numbers that stand for them"
            )

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one option uniformly at random."""
        return self.options[rng.integers(len(self.options))]

    def other(self, option: Hashable, rng: np.random.Generator) -> Any:
        """Draw one option other than `option` uniformly at random."""
        others = [candidate for candidate in self.options if candidate != option]
        return others[rng.integers(len(others))]

    def parse(self, text: str) -> Any:
        """Return the option with the given text.

        Raises:
            ValueError: there is no such option.
        """
        if text not in self._by_text:
            raise ValueError(f"Expected one of {', '.join(self._by_text)}, but got {text!r}")
        return self._by_text[text]


class ChoiceSpace(SearchSpace):
    """A space in which an architecture is one option for each of several fields.

    A subclass declares its fields as class attributes and implements
    [`build`][search_spaces.SearchSpace.build]; all other methods are inherited. An
    architecture is a named tuple of the chosen options. Fields that depend on
    constructor arguments are passed to `__init__`.

    Args:
        fields: the fields by name; by default those declared as class attributes.

    Raises:
        ValueError: there are no fields.

    Examples:
        >>> class Widths(ChoiceSpace):
        ...     first = Choice(8, 16)
        ...     second = Choice(16, 32, 64)
        ...     def build(self, arch, num_classes):
        ...         return torch.nn.Sequential(
        ...             torch.nn.Conv2d(3, arch.first, 3), torch.nn.ReLU(),
        ...             torch.nn.Conv2d(arch.first, arch.second, 3), torch.nn.AdaptiveAvgPool2d(1),
        ...             torch.nn.Flatten(), torch.nn.Linear(arch.second, num_classes))
        >>> space = Widths()
        >>> space.size
        6
        >>> arch = space.sample(np.random.default_rng(0))
        >>> space.to_string(arch)
        'first=16,second=32'
        >>> space.from_string('first=16,second=32') == arch
        True
    """

    def __init__(self, fields: Mapping[str, Choice] | None = None) -> None:
        self.fields = dict(fields) if fields is not None else self._declared_fields()
        if not self.fields:
            raise ValueError(f"{type(self).__name__} has no Choice field")

    @classmethod
    def _declared_fields(cls) -> dict[str, Choice]:
        declared: dict[str, Choice] = {}
        for ancestor in reversed(cls.__mro__):
            declared |= {k: v for k, v in vars(ancestor).items() if isinstance(v, Choice)}
        return declared

    @property
    def size(self) -> int:
        """Number of architectures: the product of the fields' numbers of options."""
        return math.prod(len(choice.options) for choice in self.fields.values())

    def architecture(self, *options: Any) -> Architecture:
        """Return the architecture of these options, in the order of the fields."""
        return _tuple_type(type(self).__name__, tuple(self.fields))(*options)

    def __iter__(self) -> Iterator[Architecture]:
        """Yield all architectures, in the order of the options."""
        choices = (choice.options for choice in self.fields.values())
        return itertools.starmap(self.architecture, itertools.product(*choices))

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw every field independently and uniformly."""
        return self.architecture(*(choice.sample(rng) for choice in self.fields.values()))

    def mutate(self, arch: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one field, drawn at random, to another of its options."""
        free = [i for i, choice in enumerate(self.fields.values()) if len(choice.options) > 1]
        if not free:
            return arch
        index = free[rng.integers(len(free))]
        choice = list(self.fields.values())[index]
        return self.architecture(*arch[:index], choice.other(arch[index], rng), *arch[index + 1 :])

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Take each field from either parent (uniform crossover)."""
        from_a = rng.random(len(self.fields)) < 0.5
        return self.architecture(*(x if f else y for x, y, f in zip(a, b, from_a, strict=True)))

    def to_string(self, arch: Architecture) -> str:
        """Write `field=option` for every field, with commas between."""
        return ",".join(f"{name}={option}" for name, option in zip(self.fields, arch, strict=True))

    def from_string(self, text: str) -> Architecture:
        """Read `field=option,…`; every field must be there once, in any order."""
        given = [part.partition("=") for part in text.replace(" ", "").split(",")]
        if sorted(name for name, _, _ in given) != sorted(self.fields):
            expected = ",".join(f"{name}=…" for name in self.fields)
            raise ValueError(f"Expected {expected}, but got {text!r}")
        return self._parse({name: option for name, _, option in given})

    def _parse(self, options: Mapping[str, str]) -> Architecture:
        return self.architecture(
            *(choice.parse(options[name]) for name, choice in self.fields.items())
        )
