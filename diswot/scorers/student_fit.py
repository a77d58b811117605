"""How much a student can take over, and how much of that points the teacher's way."""

from diswot.scorers._card import Card
from diswot.scorers._registry import register_combined
from diswot.scorers.filled_width import filled_width
from diswot.scorers.root_size import root_size
from diswot.scorers.teacher_alignment import teacher_alignment

student_fit = register_combined(
    Card(
        "student_fit",
        "filled width, size and agreement with the teacher, multiplied",
        "this project, docs/student-fit.md",
    ),
    "sum",
    filled_width,
    root_size,
    teacher_alignment,
)
