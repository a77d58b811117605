"""What all engines have in common."""

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from diswot.errors import OptionError
from diswot.options import SearchOptions, declared
from diswot.search._selection import COSTS, OBJECTIVES, SCORE
from diswot.seeding import generator_for
from search_spaces import Architecture

_DECLARED = declared(SearchOptions)

_FORMER = {"regularised": "regularized"}
"""Names of engines in runs and commands of earlier versions."""

_SEEDED_AS = {now: former for former, now in _FORMER.items()}
"""Seeds depend on the name of the engine, and do not change with its spelling."""


def current_name(name: str) -> str:
    """Return the name of an engine, which may be one of an earlier version.

    Examples:
        >>> current_name("regularised"), current_name("nsga2")
        ('regularized', 'nsga2')
    """
    return _FORMER.get(name, name)


@dataclass(frozen=True)
class EngineSettings:
    """How candidates are proposed.

    Attributes:
        name: of `ENGINES`.
        population: candidates per generation.
        generations: generations after the first, which is random.
        objectives: what candidates are compared by.

    Raises:
        OptionError: a number or an objective that cannot be.
    """

    name: str = _DECLARED["engine"].option.default
    population: int = _DECLARED["population"].option.default
    generations: int = _DECLARED["generations"].option.default
    objectives: tuple[str, ...] = (SCORE,)

    def __post_init__(self) -> None:
        for name in ("population", "generations"):
            _DECLARED[name].checked(getattr(self, name))
        unknown = [name for name in self.objectives if name not in OBJECTIVES]
        if unknown or len(set(self.objectives)) != len(self.objectives):
            raise OptionError(
                f"Expected objectives among {', '.join(OBJECTIVES)}, each once, "
                f"but got {','.join(map(str, self.objectives))}"
            )
        if SCORE not in self.objectives:
            raise OptionError(
                f"Expected {SCORE} among the objectives, but got {','.join(self.objectives)}"
            )
        if self.several and self.name != "nsga2":
            raise OptionError(
                f"the engine {self.name} follows the score alone: for the objectives "
                f"{','.join(self.objectives)} choose --engine nsga2"
            )
        if self.name == "nsga2" and (not self.several or self.population < 4):
            raise OptionError(
                "the engine nsga2 needs a population of at least 4 and, in addition to the score, "
                f"one or more of the objectives {', '.join(COSTS)}, but got a population of "
                f"{self.population} and {','.join(self.objectives)}"
            )

    @property
    def several(self) -> bool:
        """Whether there are costs among the objectives."""
        return len(self.objectives) > 1

    @property
    def total(self) -> int:
        """How many candidates there are at most."""
        return self.population * (self.generations + 1)

    def generator(self, seed: int, number: int) -> np.random.Generator:
        """Return the random numbers of one proposal of a run."""
        return generator_for(seed, "engine", _SEEDED_AS.get(self.name, self.name), number)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        return asdict(self) | {"objectives": list(self.objectives)}


class Engine(Protocol):
    """Proposes architectures, one after another, numbered from 0.

    A proposal is a function of its number, its generator and the candidates that it
    needs; so it depends neither on how many workers there are nor on which of them is
    faster, and a search resumes from its candidates alone.
    """

    total: int
    """How many proposals there are at most."""

    def needs(self, number: int) -> int:
        """Return how many candidates, the first ones, proposal `number` waits for."""

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return an architecture not proposed before, or `None` where none is left."""
