"""What a run does that names neither teacher, space nor data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Demonstration:
    """Students of a task's default data among which the choice matters.

    Attributes:
        space: the search space.
        max_params: maximum number of parameters of a student.
        trainings: number of short trainings.
    """

    space: str
    max_params: int
    trainings: int
