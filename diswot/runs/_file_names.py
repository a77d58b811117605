"""Names of the files of runs and trainings."""

MANIFEST = "manifest.json"
"""Settings, versions and fingerprints of a run."""

JOURNAL = "journal.jsonl"
"""The candidates of a search, one per line."""

SHORT_TRAININGS = "trainings.jsonl"
"""Short trainings that help a search choose, one per line."""

RESULT = "result.json"
"""The result of a search, and of the run that it is part of."""

TRAINING_MANIFEST = "training.json"
"""The command and options that a training was started with."""

METHOD_MANIFEST = "method.json"
"""The settings of a run whose method has its own stages."""

METRICS = "metrics.csv"
"""The metrics of a training, one row per epoch."""

REPORT = "report.json"
"""The result of a finished training."""
