"""How many further short trainings are worth their cost in full ones."""

from collections.abc import Callable, Collection

import numpy as np

from diswot.search._training_budget import AT_ONCE
from diswot.search.few_shot._posterior import Beliefs
from diswot.seeding import generator_for

DRAWS = 400
PROMISING = 150
"""Candidates, by their expected full result, of which results are drawn."""

COUNTS = 14
"""Numbers of short trainings that are compared, at most."""

TOLERANCE = 1e-3
"""Of two numbers whose expected results differ by less, the smaller is taken."""


def worthwhile(
    beliefs: Beliefs,
    trained: Collection[int],
    most: int,
    full: Callable[[int], int],
) -> int:
    """Return the number of further short trainings with the highest expected result.

    All full results and the short results of the most promising candidates are drawn from the
    posterior. After each number of short trainings, the candidates with the highest expected full
    results are trained in full, and the best of these is the result. Candidates are independent
    in a draw, which undervalues what a short training says about similar ones.

    Args:
        beliefs: the posterior after the trainings so far.
        trained: places of the candidates that have short results.
        most: the highest number of further short trainings.
        full: number of full trainings that are left after a number of further short ones.
    """
    if most < 1:
        return 0
    rng = generator_for("short or full trainings")
    promising = np.argsort(-beliefs.mean, kind="stable")[:PROMISING]
    drawn = rng.choice(len(beliefs.weights), DRAWS, p=beliefs.weights)
    mean = beliefs.means[drawn][:, promising]
    variance = np.maximum(beliefs.variances[drawn][:, promising], 1e-9)
    relation = beliefs.short[drawn, None]
    noise = 1 - relation**2
    results = mean + np.sqrt(variance) * rng.standard_normal(mean.shape)
    short = relation * results + np.sqrt(noise) * rng.standard_normal(mean.shape)
    # The expected full result of a candidate, given its short one (a Kalman update).
    gain = relation * variance / (relation**2 * variance + noise)
    updated = mean + gain * (short - relation * mean)
    untrained = np.flatnonzero(~np.isin(promising, [*trained]))
    found = {}
    for count in _counts(min(most, len(untrained))):
        expected = mean.copy()
        expected[:, untrained[:count]] = updated[:, untrained[:count]]
        best = np.argsort(-expected, axis=1)[:, : max(1, full(count))]
        found[count] = float(np.take_along_axis(results, best, axis=1).max(axis=1).mean())
    highest = max(found.values())
    return next(count for count, value in found.items() if value > highest - TOLERANCE)


def _counts(most: int) -> list[int]:
    """Return at most `COUNTS` numbers from 0 to `most`, in steps of whole batches."""
    counts = sorted({*range(0, most + 1, AT_ONCE), most})
    kept = np.linspace(0, len(counts) - 1, min(COUNTS, len(counts))).astype(int)
    return [counts[place] for place in kept]
