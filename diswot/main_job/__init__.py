"""The main job: search, distil the winner, compare, export."""

from diswot.main_job._job import DEFAULT_BUDGET, LOSSES, resume, run
from diswot.main_job._report import Row, RunReport
from diswot.options import RunOptions

__all__ = ["DEFAULT_BUDGET", "LOSSES", "Row", "RunOptions", "RunReport", "resume", "run"]
