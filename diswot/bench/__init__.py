"""Ground truths, rank statistics and the tables of `diswot bench`."""
