"""Short trainings of a few candidates, from which a model ranks all others."""

from diswot.search._training_budget import AT_ONCE
from diswot.search.few_shot._curves import expected_values, least_values
from diswot.search.few_shot._features import features, features_of, genes, grouped, normal_scores
from diswot.search.few_shot._posterior import Posterior
from diswot.search.few_shot._ranker import Ranker, RankerSettings
from diswot.search.few_shot._trainings import train_briefly

__all__ = [
    "AT_ONCE",
    "Posterior",
    "Ranker",
    "RankerSettings",
    "expected_values",
    "features",
    "features_of",
    "genes",
    "grouped",
    "least_values",
    "normal_scores",
    "train_briefly",
]
