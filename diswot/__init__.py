"""DisWOT: which small network should I distil my teacher into?

Candidate students with random weights are compared with the teacher on a batch of data,
an evolutionary search follows that score under a budget, and the winner is distilled and
exported.
"""

from diswot.data import ImageData, ImageSpec, load_data
from diswot.distillation import Training, distill, train_teacher
from diswot.errors import DiswotError, RunError
from diswot.export import Exported, export
from diswot.main_job import RunReport, resume, run
from diswot.report import Report, write_report
from diswot.search import Budget, Candidate, SearchResult, load_run, score, search
from diswot.teachers import load_checkpoint

__all__ = [
    "Budget",
    "Candidate",
    "DiswotError",
    "Exported",
    "ImageData",
    "ImageSpec",
    "Report",
    "RunError",
    "RunReport",
    "SearchResult",
    "Training",
    "distill",
    "export",
    "load_checkpoint",
    "load_data",
    "load_run",
    "resume",
    "run",
    "score",
    "search",
    "train_teacher",
    "write_report",
]
