"""What decides which architecture is evaluated next: an engine a file."""

from collections.abc import Callable

from diswot.search._trials import Trials
from diswot.search.engines._engine import Engine, EngineSettings
from diswot.search.engines.evolution import Evolution
from diswot.search.engines.exhaustive import Exhaustive
from diswot.search.engines.nsga2 import NSGA2
from diswot.search.engines.random_search import RandomSearch
from diswot.search.engines.regularised import Regularised

ENGINES: dict[str, Callable[[Trials, EngineSettings], Engine]] = {
    "evolution": Evolution,
    "nsga2": NSGA2,
    "regularised": Regularised,
    "random": RandomSearch,
    "exhaustive": Exhaustive,
}
"""Every engine by its name: (trials, settings) → engine."""

__all__ = ["ENGINES", "Engine", "EngineSettings"]
