"""The genes of an architecture: what was chosen, and from what."""

import dataclasses
from dataclasses import dataclass

from diswot.search import Candidate
from search_spaces import Architecture, ChoiceSpace, SearchSpace


@dataclass(frozen=True)
class Gene:
    """One choice of a search space, and what a candidate has there.

    Attributes:
        name: what was to be chosen.
        value: what was chosen.
        options: what could have been; none where they are not known.
    """

    name: str
    value: str
    options: tuple[str, ...] = ()


def read_genes(space: SearchSpace | None, candidate: Candidate) -> list[Gene]:
    """Return the genes of a candidate; none where its space or their names are not known.

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
        return [(f"part {place}", part) for place, part in enumerate(arch, start=1)]
    return []


def _text(value: object) -> str:
    """Write named tuples with their names, and tuples without brackets."""
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
