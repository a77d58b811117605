"""Evidence: how well scores rank students, and what scoring costs.

`python -m benchmarks --data-root FOLDER` makes every table under `benchmarks/results/`.
"""
