"""Every setting of the study of the ranker changes what a ranker does."""

import numpy as np
import pytest

from benchmarks.ranker_settings import SETTINGS
from diswot.search.few_shot import Ranker, RankerSettings

RNG = np.random.default_rng(0)
FEATURES, SCORES = RNG.standard_normal((400, 2)), RNG.standard_normal(400)
PLACES = [int(place) for place in np.argsort(-SCORES)[:350:50]]
AGREEING = dict(zip(PLACES, (0.89, 0.9, 0.7, 0.6, 0.5, 0.4, 0.3), strict=True))
DISAGREEING = dict(zip(PLACES, (0.1, 0.9, 0.2, 0.8, 0.1, 0.7, 0.4), strict=True))


def behavior(settings: RankerSettings) -> list[list[int]]:
    """Return proposals after few results, and the rankings after more."""
    ranker = Ranker(FEATURES, SCORES, settings=settings)
    known = [dict([*AGREEING.items()][:count]) for count in (0, 4, 6)]
    proposals = [ranker.proposals(results, 3) for results in known]
    return proposals + [ranker.ranking(found).tolist() for found in (AGREEING, DISAGREEING)]


def test_the_default_is_that_of_the_search() -> None:
    assert SETTINGS["default"] == RankerSettings()


@pytest.mark.parametrize("setting", [name for name in SETTINGS if name != "default"])
def test_a_setting_changes_proposals_or_rankings(setting: str) -> None:
    assert behavior(SETTINGS[setting]) != behavior(RankerSettings())
