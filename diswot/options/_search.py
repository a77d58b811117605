"""What can be chosen of scores and searches."""

from typing import Literal, TypeAlias, get_args

Combination: TypeAlias = Literal["sum", "rank", "standard", "logrank"]
"""How several terms become one score."""

COMBINATIONS: tuple[Combination, ...] = get_args(Combination)

TeacherState: TypeAlias = Literal["random", "trained"]
"""The weights that scores see the teacher with."""

TEACHER_STATES: tuple[TeacherState, ...] = get_args(TeacherState)

ENGINES = ("evolution", "nsga2", "regularised", "random", "exhaustive")
"""How candidates can be proposed."""

DEFAULT_SCORER = "student_fit"
"""What candidates are scored by where nothing else is asked for."""
