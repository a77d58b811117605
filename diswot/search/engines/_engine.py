"""The interface and the settings that all search engines share."""

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
"""Former spellings of engine names, in runs and commands of earlier versions."""

_SEEDED_AS = {now: former for former, now in _FORMER.items()}
"""Seeds are derived from an engine's name; its former spelling keeps old runs reproducible."""


def current_name(name: str) -> str:
    """Return the present spelling of an engine's name.

    Examples:
        >>> current_name("regularised"), current_name("nsga2")
        ('regularized', 'nsga2')
    """
    return _FORMER.get(name, name)


@dataclass(frozen=True)
class EngineSettings:
    """Settings of a search engine.

    Attributes:
        name: name in `ENGINES`.
        population: candidates per generation.
        generations: number of generations after the first, random one.
        objectives: names of `OBJECTIVES`: the score, and for `nsga2` one or more costs.

    Raises:
        OptionError: a number is out of range, an objective does not exist, or the objectives
            do not fit the engine.
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
                f"the engine {self.name} optimizes only the score: for the objectives "
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
        """Whether there are objectives other than the score."""
        return len(self.objectives) > 1

    @property
    def total(self) -> int:
        """Maximal number of candidates."""
        return self.population * (self.generations + 1)

    def generator(self, seed: int, number: int) -> np.random.Generator:
        """Return the random generator of one proposal.

        Args:
            seed: seed of the run.
            number: number of the proposal.
        """
        return generator_for(seed, "engine", _SEEDED_AS.get(self.name, self.name), number)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON values."""
        return asdict(self) | {"objectives": list(self.objectives)}


class Engine(Protocol):
    """Proposes architectures one after another, numbered from 0.

    A proposal must be a function of its number, its generator and the first `needs(number)`
    candidates only. So it does not depend on the number or speed of workers, and a search can
    be resumed from its candidates alone.
    """

    total: int
    """Maximal number of proposals."""

    def needs(self, number: int) -> int:
        """Return how many of the first candidates must be known before proposal `number`."""

    def propose(self, number: int, rng: np.random.Generator) -> Architecture | None:
        """Return an architecture that was not proposed before, or `None` if none is left.

        Args:
            number: number of the proposal, from 0.
            rng: random generator of this proposal.
        """
