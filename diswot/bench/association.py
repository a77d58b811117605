"""Rank and linear correlation coefficients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, pearsonr, spearmanr

from diswot.errors import DiswotError

Vector = NDArray[np.float64]


class UndefinedStatisticError(DiswotError, ValueError):
    """A statistic is undefined for its arguments, of a constant column for example."""


def kendall(x: Vector, y: Vector) -> float:
    """Return Kendall's τ-b of two columns of shape (n,), in [−1, 1].

    Source: Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945.

    Raises:
        UndefinedStatisticError: a column is constant, too short or not finite.

    Examples:
        >>> round(kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 4)
        0.3333
    """
    check_columns(x=x, y=y)
    return float(kendalltau(x, y).statistic)


def spearman(x: Vector, y: Vector) -> float:
    """Return Spearman's ρ of two columns of shape (n,): Pearson's r of their midranks.

    Raises:
        UndefinedStatisticError: a column is constant, too short or not finite.

    Examples:
        >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0]))
        1.0
    """
    check_columns(x=x, y=y)
    return float(np.clip(spearmanr(x, y).statistic, -1, 1))


def pearson(x: Vector, y: Vector) -> float:
    """Return Pearson's r of two columns of shape (n,), in [−1, 1].

    Raises:
        UndefinedStatisticError: a column is constant, too short or not finite.

    Examples:
        >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 4)
        0.5
    """
    check_columns(x=x, y=y)
    # Scaled to [−1, 1], so that squares of large values do not overflow.
    return float(pearsonr(x / np.abs(x).max(), y / np.abs(y).max()).statistic)


def partial_kendall(x: Vector, y: Vector, controls: Sequence[Vector]) -> float:
    """Return Kendall's partial τ of x and y given the controls; all of shape (n,).

    Source: Kendall, "Partial rank correlation", Biometrika 32, 1942; for several
    controls, from the Schur complement of their block in the matrix of pairwise τ-b.

    Raises:
        UndefinedStatisticError: a column is constant, or the controls determine x or y.

    Examples:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
        >>> y = np.array([1.0, 3.0, 2.0, 5.0, 4.0])
        >>> z = np.array([5.0, 2.0, 1.0, 3.0, 4.0])
        >>> xy, xz, yz = kendall(x, y), kendall(x, z), kendall(y, z)
        >>> direct = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
        >>> bool(np.isclose(partial_kendall(x, y, [z]), direct))
        True
    """
    # The Schur complement of the controls in the matrix of all pairwise τ.
    columns = [x, y, *controls]
    matrix = np.array([[kendall(a, b) for b in columns] for a in columns])
    # Block (2, controls); pinv also handles controls that are linearly dependent.
    across = matrix[:2, 2:]
    left = matrix[:2, :2] - across @ np.linalg.pinv(matrix[2:, 2:]) @ across.T
    if min(left[0, 0], left[1, 1]) < 1e-9:
        raise UndefinedStatisticError(
            "partial τ is undefined because the controls alone decide a column: leave them out"
        )
    return float(np.clip(left[0, 1] / np.sqrt(left[0, 0] * left[1, 1]), -1, 1))


def check_columns(**columns: Vector) -> None:
    """Check that columns can be correlated.

    Raises:
        UndefinedStatisticError: a column is constant, has fewer than 3 values, another length
            than the first, or a value that is not finite.
    """
    rows = len(next(iter(columns.values())))
    for name, column in columns.items():
        if column.shape != (rows,) or rows < 3:
            got = "×".join(map(str, column.shape))
            raise UndefinedStatisticError(
                f"τ is undefined for {name} of {got} values and rows of {rows}: "
                "give columns of one length, of 3 rows or more"
            )
        if not np.isfinite(column).all():
            index = int(np.flatnonzero(~np.isfinite(column))[0])
            raise UndefinedStatisticError(
                f"τ is undefined because {name} has {column[index]} in row {index}: leave it out"
            )
        if (column == column[0]).all():
            raise UndefinedStatisticError(
                f"τ is undefined because {name} is constant: {column[0]:g} in all {rows} rows"
            )
