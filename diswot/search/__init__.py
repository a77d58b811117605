"""From a teacher and a search space to scored candidates."""

from diswot.search._api import ENGINES, score, search
from diswot.search._candidate import Candidate
from diswot.search._combination import COMBINATIONS, Combination, combine
from diswot.search._comparison import ComparisonOptions
from diswot.search._costs import Budget, Costs, measure_costs, measure_latency
from diswot.search._evaluation import (
    Evaluator,
    TeacherState,
    check_architecture,
    check_space,
    prepare_repeats,
)
from diswot.search._result import SearchResult, load_run
from diswot.search._spaces import SPACES, find_space, parse_architecture

__all__ = [
    "COMBINATIONS",
    "ENGINES",
    "SPACES",
    "Budget",
    "Candidate",
    "Combination",
    "ComparisonOptions",
    "Costs",
    "Evaluator",
    "SearchResult",
    "TeacherState",
    "check_architecture",
    "check_space",
    "combine",
    "find_space",
    "load_run",
    "measure_costs",
    "measure_latency",
    "parse_architecture",
    "prepare_repeats",
    "score",
    "search",
]
