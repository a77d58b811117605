"""Search engines, one per file: each proposes the next architecture to evaluate."""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

from diswot.errors import OptionError
from diswot.registry import Registry
from diswot.search._history import History
from diswot.search.engines._engine import Engine, EngineSettings, current_name
from diswot.search.engines._variation import deap_seed
from diswot.search.engines.evolution import Evolution
from diswot.search.engines.exhaustive import Exhaustive
from diswot.search.engines.nsga2 import NSGA2
from diswot.search.engines.random_search import RandomSearch
from diswot.search.engines.regularized import Regularized

MakesEngine: TypeAlias = Callable[[History, EngineSettings], Engine]


def _engine(name: str, found: Any) -> MakesEngine:
    if not callable(found):
        raise OptionError(
            f"engine {name!r} is a {type(found).__name__}: expected a class or function of "
            "(history, settings)"
        )
    return cast(MakesEngine, found)


ENGINES: Registry[MakesEngine] = Registry(
    "engine",
    "diswot.engines",
    {
        "evolution": Evolution,
        "nsga2": NSGA2,
        "regularized": Regularized,
        "random": RandomSearch,
        "exhaustive": Exhaustive,
    },
    adopt=_engine,
)
"""Search engines by name: (history, settings) → engine."""

__all__ = ["ENGINES", "Engine", "EngineSettings", "current_name", "deap_seed"]
