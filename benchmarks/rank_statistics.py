"""How well one ranking agrees with another, and how sure that is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, kendalltau, spearmanr

Vector = NDArray[np.float64]
RESAMPLES = 999


def kendall(x: Vector, y: Vector) -> float:
    """Return Kendall's τ-b.

    Raises:
        ValueError: a column is constant, so τ is undefined.

    Examples:
        >>> round(kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 4)
        0.3333
    """
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("Expected columns that vary, but one is constant: τ is undefined")
    return float(kendalltau(x, y).statistic)


def spearman(x: Vector, y: Vector) -> float:
    """Return Spearman's ρ."""
    return float(spearmanr(x, y).statistic)


def kendall_interval(x: Vector, y: Vector, *, seed: int = 0) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of τ-b over the architectures."""
    found = bootstrap(
        (x, y),
        lambda a, b: kendalltau(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def partial_kendall(x: Vector, y: Vector, controls: Sequence[Vector]) -> float:
    """Return Kendall's partial τ of x and y, the controls held fixed.

    Source: Kendall, "Partial rank correlation", Biometrika 32, 1942; for several
    controls, from the inverse of the matrix of τ.

    Examples:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
        >>> y = np.array([1.0, 3.0, 2.0, 5.0, 4.0])
        >>> z = np.array([5.0, 2.0, 1.0, 3.0, 4.0])
        >>> xy, xz, yz = kendall(x, y), kendall(x, z), kendall(y, z)
        >>> direct = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
        >>> bool(np.isclose(partial_kendall(x, y, [z]), direct))
        True
    """
    columns = [x, y, *controls]
    matrix = np.array([[kendall(a, b) for b in columns] for a in columns])
    inverse = np.linalg.pinv(matrix)
    return float(-inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1]))
