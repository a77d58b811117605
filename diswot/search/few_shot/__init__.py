"""Short trainings of a few candidates, from which a model ranks all others."""

from diswot.search.few_shot._features import features, genes, grouped, normal_scores
from diswot.search.few_shot._ranker import Ranker
from diswot.search.few_shot._trainings import train_briefly

__all__ = ["Ranker", "features", "genes", "grouped", "normal_scores", "train_briefly"]
