"""The raw quantities of the lab book, each a term of its own; importing registers them."""

import benchmarks.lab.quantities._wide  # noqa: F401  (registers what is looked at besides)
from benchmarks.lab.quantities._likeness import LIKENESSES
from benchmarks.lab.quantities._shared import COUNTS, QUANTITIES, REACHES, SIZES

WIDE = (
    "image_rank_squared",
    "pooled_rank",
    "collinearity",
    "gradient_growth",
    "gradient_spread",
    "tangent_alignment",
    *LIKENESSES,
    "resolution",
)
"""What was looked at besides."""

__all__ = ["COUNTS", "QUANTITIES", "REACHES", "SIZES", "WIDE"]
