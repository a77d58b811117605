"""The lab book behind `student_fit`: measurements, tried variants and results."""
