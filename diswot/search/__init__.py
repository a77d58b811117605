"""From a teacher and a search space to scored candidates."""

from diswot.networks.costs import Costs, measure_costs
from diswot.options import (
    DEFAULT_SCORER,
    TEACHER_STATES,
    ResumeOptions,
    ScoringOptions,
    SearchOptions,
    TeacherState,
    options_of,
)
from diswot.search._api import check_search, resume, score, search
from diswot.search._brief_training import BriefTraining
from diswot.search._budget import Budget
from diswot.search._candidate import Candidate
from diswot.search._checks import check_architecture, check_space
from diswot.search._evaluation import Evaluator, Outcome
from diswot.search._evaluation_pool import dask, evaluation_pool
from diswot.search._history import History
from diswot.search._partial import load_partial_run
from diswot.search._pickled import Pickled, adopted
from diswot.search._repeats import check_batch_size, prepare_repeats
from diswot.search._restored_options import data_again, restored_option, source_of, task_of
from diswot.search._restored_student import restored_student
from diswot.search._result import SearchResult, load_run, read_manifest
from diswot.search._resuming import check_resume
from diswot.search._scoring_context import ScoringContext, check_scoring, resolve_scoring
from diswot.search._search_loop import SearchLoop
from diswot.search._selection import OBJECTIVES, knee, pareto_front, shortlist
from diswot.search._settings import SearchSettings, settled
from diswot.search._spaces import SPACES, check_space_name, find_space, parse_architecture
from diswot.search._training_budget import Plan, TrainingBudget
from diswot.search.engines import ENGINES, EngineSettings

__all__ = [
    "DEFAULT_SCORER",
    "ENGINES",
    "OBJECTIVES",
    "SPACES",
    "TEACHER_STATES",
    "BriefTraining",
    "Budget",
    "Candidate",
    "Costs",
    "EngineSettings",
    "Evaluator",
    "History",
    "Outcome",
    "Pickled",
    "Plan",
    "ResumeOptions",
    "ScoringContext",
    "ScoringOptions",
    "SearchLoop",
    "SearchOptions",
    "SearchResult",
    "SearchSettings",
    "TeacherState",
    "TrainingBudget",
    "adopted",
    "check_architecture",
    "check_batch_size",
    "check_resume",
    "check_scoring",
    "check_search",
    "check_space",
    "check_space_name",
    "dask",
    "data_again",
    "evaluation_pool",
    "find_space",
    "knee",
    "load_partial_run",
    "load_run",
    "measure_costs",
    "options_of",
    "pareto_front",
    "parse_architecture",
    "prepare_repeats",
    "read_manifest",
    "resolve_scoring",
    "restored_option",
    "restored_student",
    "resume",
    "score",
    "search",
    "settled",
    "shortlist",
    "source_of",
    "task_of",
]
