"""The main job: search, distil the winner, compare, export."""

from diswot.main_job._difference import Difference, paired_difference
from diswot.main_job._ending import LOSSES
from diswot.main_job._job import DEFAULT_BUDGET, resume, run
from diswot.main_job._report import Row, RunReport
from diswot.main_job._verdict import Alternative, TrainedStudent, Verdict, read_verdict, verdict
from diswot.options import RunOptions

__all__ = [
    "DEFAULT_BUDGET",
    "LOSSES",
    "Alternative",
    "Difference",
    "Row",
    "RunOptions",
    "RunReport",
    "TrainedStudent",
    "Verdict",
    "paired_difference",
    "read_verdict",
    "resume",
    "run",
    "verdict",
]
