"""The genes of an architecture: the chosen option of each field, and the alternatives."""

import dataclasses
from dataclasses import dataclass

from diswot.search import Candidate
from search_spaces import Architecture, ChoiceSpace, SearchSpace


@dataclass(frozen=True)
class Gene:
    """One field of a search space with the value of a candidate.

    Attributes:
        name: name of the field.
        value: the candidate's option.
        options: all options; empty if they are not known.
    """

    name: str
    value: str
    options: tuple[str, ...] = ()


def read_genes(space: SearchSpace | None, candidate: Candidate) -> list[Gene]:
    """Return the genes of a candidate; empty if the space is not known or has no fields.

    Examples:
        >>> from diswot.networks.costs import Costs
        >>> from search_spaces import ResNetDepthSpace
        >>> space = ResNetDepthSpace()
        >>> candidate = Candidate(space.from_string("3-1-5"), "3-1-5", "3-1-5", Costs(1, 1))
        >>> read_genes(space, candidate)[2]
        Gene(name='stage3', value='5', options=('1', '3', '5', '7'))
    """
    arch = candidate.architecture
    if isinstance(space, ChoiceSpace):
        fields = zip(space.fields.items(), arch, strict=True)
        return [
            Gene(name, str(value), tuple(map(str, choice.options)))
            for (name, choice), value in fields
        ]
    return [] if space is None else [Gene(name, _text(value)) for name, value in _named(arch)]


def _named(arch: Architecture) -> list[tuple[str, object]]:
    if hasattr(arch, "_fields"):
        return list(zip(arch._fields, arch, strict=True))
    if dataclasses.is_dataclass(arch):
        return [(field.name, getattr(arch, field.name)) for field in dataclasses.fields(arch)]
    if isinstance(arch, tuple):
        return [(f"part {index}", part) for index, part in enumerate(arch, start=1)]
    return []


def _text(value: object) -> str:
    """Format named tuples with field names, and tuples without parentheses."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        named = value._asdict().items()
        return ", ".join(f"{name} {part}" for name, part in named if part is not None)
    if isinstance(value, tuple):
        return (
            "; ".join(map(_text, value))
            if any(isinstance(v, tuple) for v in value)
            else (", ".join(map(str, value)))
        )
    return str(value)
