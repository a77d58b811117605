"""From a teacher and a search space to scored candidates."""

from diswot.costs import Costs, measure_costs, measure_latency
from diswot.search._api import ENGINES, score, search
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._comparison import Comparison, ComparisonOptions, resolve_comparison
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
    "ENGINES",
    "SPACES",
    "Budget",
    "Candidate",
    "Comparison",
    "ComparisonOptions",
    "Costs",
    "Evaluator",
    "SearchResult",
    "TeacherState",
    "check_architecture",
    "check_space",
    "find_space",
    "load_run",
    "measure_costs",
    "measure_latency",
    "parse_architecture",
    "prepare_repeats",
    "resolve_comparison",
    "score",
    "search",
]
