"""The stage of a run that makes the source of students, for example trains supernets."""

from collections.abc import Callable
from dataclasses import dataclass

from diswot.methods import RunMethod, Workshop
from diswot.pipeline._stage import Run, fingerprint_of
from diswot.students import StudentSource


@dataclass(frozen=True)
class MakeStudents:
    """Makes the source of students by the method of the run.

    Attributes:
        method: the method.
        workshop: (run) → data, teacher and space for the method.
    """

    method: RunMethod
    workshop: Callable[[Run], Workshop]
    name = "students"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the method and of the weights that students inherit."""
        return fingerprint_of(self.method.name, run.of(MakeStudents).digest)

    def run(self, run: Run) -> StudentSource:
        """Make the source of students, or load it from the cache."""
        return self.method.source(self.workshop(run))
