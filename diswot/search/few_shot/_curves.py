"""Which short trainings to stop early, and what those that were would have given."""

from collections.abc import Collection, Mapping

import numpy as np

from diswot.search._brief_training import BriefTraining

FEWEST = 4
"""Learning curves that a median is taken of."""


def least_values(done: Collection[BriefTraining], epochs: int) -> tuple[float, ...]:
    """Return what a training must have reached after each of so many epochs, or it is stopped.

    From half of the epochs on, that is the median of the trainings before it. Source: the median
    stopping rule of Golovin et al., "Google Vizier", KDD 2017, with the best value so far in
    place of the running average.

    Args:
        done: trainings that have ended.
        epochs: of the next ones.
    """
    results = []
    for epoch in range(1, epochs + 1):
        known = [item.curve[epoch - 1] for item in done if len(item.curve) >= epoch]
        compared = 2 * epoch >= epochs and len(known) >= FEWEST
        results.append(float(np.median(known)) if compared else -np.inf)
    return tuple(results)


def expected_values(done: Mapping[int, BriefTraining]) -> dict[int, float]:
    """Return the results of short trainings that did not fail, by the same places.

    One that was stopped early gets what the others have gained since that epoch, in the median.
    """
    ended = [item.curve for item in done.values() if item.curve and not item.stopped]
    results = {}
    for place, item in done.items():
        if item.value is not None:
            epoch = len(item.curve)
            gains = [curve[-1] - curve[epoch - 1] for curve in ended] if item.stopped else []
            results[place] = item.value + (float(np.median(gains)) if gains else 0.0)
    return results
