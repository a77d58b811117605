"""Report of a run, and comparison of runs: HTML pages, and plots as files."""

from diswot.report._api import Report, write_report
from diswot.report._comparison import Comparison, compare_runs
from diswot.report._live import follow_run

__all__ = ["Comparison", "Report", "compare_runs", "follow_run", "write_report"]
