"""Tasks: what a network takes, gives and is measured by; one package each."""

from diswot.tasks._measure import Measure

__all__ = ["Measure"]
