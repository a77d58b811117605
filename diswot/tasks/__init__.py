"""Tasks: what a network takes, gives and is measured by; one package each."""

from diswot.tasks._batch import Batch
from diswot.tasks._dataset import SPLITS, Dataset, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import MOST_AT_ONCE, Metric, values_of

__all__ = [
    "MOST_AT_ONCE",
    "SPLITS",
    "Batch",
    "Dataset",
    "Measure",
    "Metric",
    "SplitName",
    "values_of",
]
