"""The stage in which the method of a run makes what students come from."""

from collections.abc import Callable
from dataclasses import dataclass

from diswot.methods import RunMethod, Workshop
from diswot.pipeline._stage import Run, fingerprint_of
from diswot.students import StudentSource


@dataclass(frozen=True)
class MakeStudents:
    """What students come from, which the method of the run makes, such as supernets.

    Attributes:
        method: makes it.
        workshop: of what.
    """

    method: RunMethod
    workshop: Callable[[Run], Workshop]
    name = "students"

    def fingerprint(self, run: Run) -> str:
        """Return a digest of the method, and of the weights that students start with."""
        return fingerprint_of(self.method.name, run.of(MakeStudents).digest)

    def run(self, run: Run) -> StudentSource:
        """Make it, unless that was done."""
        return self.method.source(self.workshop(run))
