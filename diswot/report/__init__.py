"""Report of a run, and comparison of runs: HTML pages, and plots as files."""

from diswot.report._api import Report, write_report
from diswot.report._comparison import Comparison, compare_runs

__all__ = ["Comparison", "Report", "compare_runs", "write_report"]
