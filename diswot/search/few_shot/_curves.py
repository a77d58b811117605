"""Which short trainings to stop early, and what those that were would have given."""

from collections.abc import Collection, Mapping

import numpy as np

from diswot.search._brief_training import BriefTraining

FEWEST = 8
"""Complete learning curves that are needed to stop a training."""


def least_values(done: Collection[BriefTraining], epochs: int) -> tuple[float, ...]:
    """Return the value after each epoch below which a training is stopped.

    From half of the epochs on, it is the lowest value that a training of the better half had
    after the same epoch: whoever was below it ended in the worse half. If the order of the
    trainings still changes after an epoch, hardly any training is stopped there. The rule is ours;
    like the median stopping rule (Golovin et al., "Google Vizier", KDD 2017), it has no model of
    the curves.

    Args:
        done: trainings that have ended.
        epochs: of the next ones.
    """
    ended = [item.curve for item in done if len(item.curve) == epochs]
    if len(ended) < FEWEST:
        return (-np.inf,) * epochs
    median = np.median([curve[-1] for curve in ended])
    least = np.min([curve for curve in ended if curve[-1] >= median], axis=0)
    return tuple(
        float(value) if 2 * epoch >= epochs else -np.inf for epoch, value in enumerate(least, 1)
    )


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
