"""Evidence: how well scores rank students, and what scoring costs."""
