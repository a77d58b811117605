"""The lab book behind `student_fit`: what was measured, what was tried, what came of it."""
