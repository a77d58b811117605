"""The ranking of candidates by score and short trainings."""

import numpy as np
import pytest

from diswot.bench.rank_statistics import kendall
from diswot.search.few_shot import Ranker, genes, grouped, normal_scores

RNG = np.random.default_rng(0)
NAMES = [f"kernel={k},width={w},depth={d}" for k in (1, 3, 5) for w in range(8) for d in range(5)]
KERNEL, WIDTH = np.repeat([0.0, 3.0, 2.0], 40), np.tile(np.repeat(np.arange(8.0), 5), 3)
QUALITY = KERNEL + 0.2 * WIDTH
SCORES = WIDTH + 2 * (KERNEL == 0) + RNG.normal(size=len(NAMES))
"""The score sees the width, and takes the worst kernel for the best."""


def ranker() -> Ranker:
    return Ranker(grouped([*genes(NAMES), normal_scores(SCORES)[:, None]]), SCORES)


def trained(count: int) -> dict[int, float]:
    known: dict[int, float] = {}
    while len(known) < count:
        for place in ranker().proposals(known, min(4, count - len(known))):
            known[place] = float(QUALITY[place])
    return known


@pytest.mark.parametrize("results", [{}, {0: 1.0}, {0: 1.0, 7: 0.2}])
def test_with_fewer_than_three_results_the_score_ranks(results: dict[int, float]) -> None:
    assert ranker().ranking(results).tolist() == np.argsort(-SCORES, kind="stable").tolist()


def test_trainings_improve_a_ranking_by_score() -> None:
    known = trained(20)
    order = ranker().ranking(known)
    by_score = QUALITY.max() - QUALITY[SCORES.argmax()]
    assert QUALITY.max() - QUALITY[order[0]] < 0.5 * by_score
    places = np.argsort(order)
    assert kendall(-places.astype(float), QUALITY) > kendall(SCORES, QUALITY) + 0.1


def test_the_candidate_with_the_best_result_ranks_first() -> None:
    known = trained(8)
    assert ranker().ranking(known)[0] == max(known, key=lambda place: known[place])


def test_proposals_are_untrained_and_start_with_the_top_score() -> None:
    first = ranker().proposals({}, 6)
    assert first[0] == SCORES.argmax()
    assert len(set(first)) == 6
    later = ranker().proposals(dict.fromkeys(first, 0.5), 6, tried=frozenset({3}))
    assert not set(later) & {*first, 3}
    assert ranker().proposals({}, 500) == ranker().proposals({}, 500)
    assert sorted(ranker().proposals({}, 500)) == list(range(len(NAMES)))


def test_equal_results_still_rank_every_candidate() -> None:
    order = ranker().ranking({0: 0.5, 1: 0.5, 2: 0.5})
    assert sorted(order.tolist()) == list(range(len(NAMES)))


def test_constant_features_are_left_out() -> None:
    assert grouped([np.ones((4, 3))]).shape == (4, 1)
    assert np.isfinite(grouped([np.eye(4), np.ones((4, 1))])).all()
