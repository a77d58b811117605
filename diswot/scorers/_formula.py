"""Combine the terms of a scorer into one score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from diswot.options import Combination

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Formula:
    """A combination of terms, or of other formulas.

    Attributes:
        how: "sum", "rank", "logrank" or "standard", see [`combine`][diswot.scorers.combine].
        parts: names of terms, or nested formulas.

    Examples:
        >>> formula = Formula("logrank", ("jacov", Formula("sum", ("a", "b"))))
        >>> formula
        logrank(jacov,a+b)
        >>> terms = {"jacov": np.array([1., 2.]), "a": np.array([1., 2.]), "b": np.array([0., 4.])}
        >>> formula.scores(terms, reference=2).round(3)
        array([-1.386,  0.   ])
    """

    how: Combination
    parts: "tuple[str | Formula, ...]"

    @property
    def needs_reference(self) -> bool:
        """Whether scores depend on a random sample of the space."""
        inner = (part for part in self.parts if isinstance(part, Formula))
        return self.how == "standard" or any(part.needs_reference for part in inner)

    @property
    def elementwise(self) -> bool:
        """Whether the score of a candidate depends on no other candidate."""
        inner = (part for part in self.parts if isinstance(part, Formula))
        return self.how == "sum" and all(part.elementwise for part in inner)

    def scores(self, terms: Mapping[str, Vector], *, reference: int) -> Vector:
        """Return the scores (n,) of n candidates, higher is better.

        Args:
            terms: values (n,) of each term, averaged over the repeats.
            reference: number of candidates at the start that are a random sample of the space,
                by which `standard` standardizes.
        """
        columns = [
            terms[part] if isinstance(part, str) else part.scores(terms, reference=reference)
            for part in self.parts
        ]
        matrix = np.stack(columns, axis=1)
        return combine(matrix, self.how, matrix[:reference])

    def __repr__(self) -> str:
        if self.how == "sum":
            return "+".join(map(str, self.parts))
        return f"{self.how}({','.join(map(str, self.parts))})"

    __str__ = __repr__


def combine(terms: Matrix, how: Combination, reference: Matrix) -> Vector:
    """Combine t terms of n candidates into n scores, higher is better.

    Args:
        terms: terms (n, t), averaged over the repeats.
        how: `sum`, the unweighted sum (DisWOT paper); `rank`, the mean of the terms' ranks
            among the n candidates, scaled to [0, 1]; `logrank`, the sum of ln(rank/n), where
            the worst has rank 1 (non-linear ranking aggregation of AZ-NAS, Lee and Ham, CVPR
            2024); or `standard`, the sum of the terms standardized by the reference.
        reference: terms (m, t) of a random sample of the space, whose mean and standard
            deviation `standard` uses.

    Returns:
        The scores (n,).

    Examples:
        >>> terms = np.array([[0.1, 30.0], [0.2, 10.0], [0.4, 20.0]])
        >>> combine(terms, "rank", terms)
        array([0.5 , 0.25, 0.75])
    """
    if how == "sum":
        return np.asarray(terms.sum(axis=1))
    # Imported here to keep searches that only sum terms fast to start.
    from scipy.stats import rankdata

    if how == "rank":
        ranks = (rankdata(terms, axis=0) - 1) / max(1, len(terms) - 1)
        return np.asarray(ranks.mean(axis=1))
    if how == "logrank":
        return np.asarray(np.log(rankdata(terms, axis=0) / len(terms)).sum(axis=1))
    spread = reference.std(axis=0)
    return np.asarray(((terms - reference.mean(axis=0)) / np.where(spread > 0, spread, 1)).sum(1))
