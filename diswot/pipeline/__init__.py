"""`diswot run`: search, distill the winner, compare with baselines, export."""

from diswot.options import RunOptions
from diswot.pipeline._comparing import TrainedStudent
from diswot.pipeline._defaults import DEFAULT_BUDGET, with_defaults
from diswot.pipeline._job import run
from diswot.pipeline._report import Row, RunReport
from diswot.pipeline._resume import resume
from diswot.pipeline._run_checks import check_run
from diswot.pipeline._selection import verdict
from diswot.pipeline._verdict import Alternative, Verdict, read_verdict
from diswot.pipeline._whole import whole_run_of

__all__ = [
    "DEFAULT_BUDGET",
    "Alternative",
    "Row",
    "RunOptions",
    "RunReport",
    "TrainedStudent",
    "Verdict",
    "check_run",
    "read_verdict",
    "resume",
    "run",
    "verdict",
    "whole_run_of",
    "with_defaults",
]
