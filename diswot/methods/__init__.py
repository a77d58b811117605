"""Methods: how the students of a run are made and trained, one package each."""

from diswot.methods._methods import METHODS, find_method
from diswot.methods._run_method import Distilled, RunMethod, Workshop

__all__ = ["METHODS", "Distilled", "RunMethod", "Workshop", "find_method"]
