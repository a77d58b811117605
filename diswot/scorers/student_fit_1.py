"""The first version of `student_fit`, the default until 0.2.0: a sum of three terms."""

from diswot.scorers._card import Card
from diswot.scorers._registry import register_combined
from diswot.scorers.filled_width import filled_width
from diswot.scorers.root_size import root_size
from diswot.scorers.teacher_alignment import teacher_alignment

student_fit_1 = register_combined(
    Card(
        "student_fit_1",
        "first version of student_fit: filled_width + root_size + teacher_alignment",
        "this project, docs/student-fit.md",
    ),
    "sum",
    filled_width,
    root_size,
    teacher_alignment,
)
