"""Random search: what evolution is compared with."""

import numpy as np

from diswot.search._trials import Trials


def random_search(
    trials: Trials, rng: np.random.Generator, *, population: int, generations: int
) -> None:
    """Evaluate as many random architectures as the evolution would: `population` a generation.

    Stops early when nothing new is left in budget.
    """
    for number in range(population * (generations + 1)):
        arch = trials.draw_any(rng)
        if arch is None and number == 0:
            raise trials.exhausted()
        if arch is None:
            return
        trials.evaluate([arch])
