"""What each engine finds by each score, in spaces whose accuracies are known."""

from benchmarks.search_bench._comparison import (
    Comparison,
    compared,
    median_difference,
    reason,
)
from benchmarks.search_bench._known import KnownSpace, RecordedEvaluator
from benchmarks.search_bench._landscape import Landscape, Scored
from benchmarks.search_bench._rows import SearchRow, rows_of
from benchmarks.search_bench._run import run_search_bench
from benchmarks.search_bench._searching import found_after
from benchmarks.search_bench._settings import SearchBenchSettings
from benchmarks.search_bench._table import COLUMNS, SearchBench

__all__ = [
    "COLUMNS",
    "Comparison",
    "KnownSpace",
    "Landscape",
    "RecordedEvaluator",
    "Scored",
    "SearchBench",
    "SearchBenchSettings",
    "SearchRow",
    "compared",
    "found_after",
    "median_difference",
    "reason",
    "rows_of",
    "run_search_bench",
]
