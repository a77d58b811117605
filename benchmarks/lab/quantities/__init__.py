"""The raw quantities of the lab book, each a term of its own; importing registers them."""

import benchmarks.lab.quantities._rank_and_gradients  # noqa: F401  (registers more that is looked at)
from benchmarks.lab.quantities._shared import COUNTS, QUANTITIES, REACHES, SIZES
from benchmarks.lab.quantities._similarity import SIMILARITIES

WIDE = (
    "image_rank_squared",
    "pooled_rank",
    "collinearity",
    "gradient_growth",
    "gradient_spread",
    "tangent_alignment",
    *SIMILARITIES,
    "resolution",
)
"""What else was looked at."""

__all__ = ["COUNTS", "QUANTITIES", "REACHES", "SIZES", "WIDE"]
