"""Benchmark of search engines and scores on ground truths."""

from diswot.bench.search_bench._comparison import (
    Comparison,
    compared,
    median_difference,
    reason,
)
from diswot.bench.search_bench._known_space import KnownSpace, RecordedEvaluator
from diswot.bench.search_bench._landscape import Landscape, Scored
from diswot.bench.search_bench._rows import SearchRow, rows_of
from diswot.bench.search_bench._run import run_search_bench
from diswot.bench.search_bench._searching import found_after
from diswot.bench.search_bench._settings import SearchBenchSettings
from diswot.bench.search_bench._table import COLUMNS, SearchBench

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
