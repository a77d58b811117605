"""Methods of `diswot run`: where students come from and how they are trained."""

from diswot.methods._methods import METHODS, find_method
from diswot.methods._run_method import Distilled, RunMethod, Workshop

__all__ = ["METHODS", "Distilled", "RunMethod", "Workshop", "find_method"]
