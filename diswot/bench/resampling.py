"""Vectorized rank and linear correlations over bootstrap resamples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.intp]

RESAMPLES = 999
"""Number of bootstrap resamples of an interval."""

RESAMPLES_OF_MANY = 200
"""Number for more than `MANY` architectures, whose intervals are narrow anyway."""

MANY = 2000

_CHUNK = 200_000


@dataclass(frozen=True)
class Resampled:
    """Correlations of two columns, one value per resample in which they are defined.

    Attributes:
        kendall: Kendall's τ-b.
        spearman: Spearman's ρ.
        pearson: Pearson's r.
    """

    kendall: Vector
    spearman: Vector
    pearson: Vector


def resampled(x: Vector, y: Vector, *, seed: int, resamples: int | None = None) -> Resampled:
    """Return the correlations of `resamples` samples of n of the n pairs, with replacement.

    All three correlations use the same resamples, and equal seeds draw the same resamples for
    columns of equal length. Resamples in which a column is constant are left out.

    A resample is stored as weights: how often each pair was drawn. The order of the pairs does
    not change, so they are sorted once; Knight's count of discordant pairs (JASA 61, 1966)
    is then a sum of weights, which is computed for many resamples at once.

    Args:
        x: finite values, not all equal, shape (n,).
        y: finite values, not all equal, shape (n,).
        seed: seed of the resamples.
        resamples: number of resamples; by default 999, or 200 for n above 2,000.

    Examples:
        >>> x = np.arange(20.0)
        >>> found = resampled(x, x**2, seed=0, resamples=5)
        >>> found.kendall
        array([1., 1., 1., 1., 1.])
    """
    rng = np.random.default_rng(seed)
    n = len(x)
    pairs = _Pairs(x, y)
    if resamples is None:
        resamples = RESAMPLES if n <= MANY else RESAMPLES_OF_MANY
    # Resamples are processed in chunks of about 200,000 weights, to limit memory.
    rows = max(1, _CHUNK // n)
    parts = [
        pairs.correlations(_drawn(rng, n, min(rows, resamples - start)))
        for start in range(0, resamples, rows)
    ]
    joined = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Resampled(*(values[np.isfinite(values)] for values in joined))


def _drawn(rng: np.random.Generator, n: int, rows: int) -> Matrix:
    """Return how often each pair is drawn in each of `rows` resamples, shape (rows, n)."""
    # One bincount for all rows: row r has the numbers from r·n to (r + 1)·n − 1.
    indices = rng.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(indices.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


class _Ties:
    """Groups of equal values (ties) of a column."""

    def __init__(self, codes: Places) -> None:
        self.codes = codes
        self.order = np.argsort(codes, kind="stable")
        self.starts = np.flatnonzero(np.diff(codes[self.order], prepend=-1))

    def counts(self, weights: Matrix) -> Matrix:
        """Return the sum of weights of each group, shape (rows, groups)."""
        return np.add.reduceat(weights[:, self.order], self.starts, axis=1)


class _Pairs:
    """Two columns, sorted once for any number of resamples."""

    def __init__(self, x: Vector, y: Vector) -> None:
        x_codes, y_codes = (np.unique(item, return_inverse=True)[1] for item in (x, y))
        # Pairs that are tied in both columns have equal combined codes.
        both = np.unique(x_codes * (y_codes.max() + 1) + y_codes, return_inverse=True)[1]
        self.ties = [_Ties(codes) for codes in (x_codes, y_codes, both)]
        self.values = [_scaled(item) for item in (x, y)]
        self.order = np.lexsort((y_codes, x_codes))
        self.levels = _merge_levels(y_codes[self.order])

    def correlations(self, weights: Matrix) -> tuple[Vector, Vector, Vector]:
        """Return τ-b, ρ and r of each row of weights (rows, n); NaN where undefined."""
        counts = [ties.counts(weights) for ties in self.ties]
        defined = (counts[0].astype(bool).sum(1) > 1) & (counts[1].astype(bool).sum(1) > 1)
        # Spearman is Pearson of midranks, recomputed for the ties of each resample.
        deviations = [
            _midranks(count)[:, ties.codes] - (weights.shape[1] + 1) / 2
            for count, ties in zip(counts[:2], self.ties[:2], strict=True)
        ]
        centered = [value - (weights @ value / value.size)[:, None] for value in self.values]
        with np.errstate(divide="ignore", invalid="ignore"):
            result = (
                self._kendall(weights, counts),
                _correlation(weights, *deviations),
                _correlation(weights, *centered),
            )
        tau, rho, r = (np.where(defined, np.clip(values, -1, 1), np.nan) for values in result)
        return tau, rho, r

    def _kendall(self, weights: Matrix, counts: list[Matrix]) -> Vector:
        """Return τ-b from counts of pairs: all, tied in x, y and both, discordant."""
        total = weights.shape[1] * (weights.shape[1] - 1) / 2
        in_x, in_y, in_both = ((count * (count - 1) / 2).sum(axis=1) for count in counts)
        discordant = self._discordant(weights)
        # Concordant minus discordant pairs, over the geometric mean of untied pairs.
        difference = total - in_x - in_y + in_both - 2 * discordant
        tau: Vector = difference / np.sqrt(total - in_x) / np.sqrt(total - in_y)
        return tau

    def _discordant(self, weights: Matrix) -> Vector:
        """Return Σ w_i·w_j over pairs with x_i < x_j and y_i > y_j, by a merge sort."""
        padded = np.zeros((len(weights), self.levels[0][0].size))
        padded[:, : len(self.order)] = weights[:, self.order]
        result = np.zeros(len(weights))
        for order, is_right in self.levels:
            # Merge two sorted blocks; each element from the left is discordant with the elements
            # from the right that come before it.
            merged = padded[:, order.ravel()].reshape(-1, *order.shape)
            right = merged * is_right
            smaller = np.cumsum(right, axis=2)
            result += np.einsum("rbk,rbk->r", merged - right, smaller)
        return result


def _merge_levels(y_codes: Places) -> list[tuple[Places, NDArray[np.bool_]]]:
    """Return for each merge of blocks of 1, 2, 4, … the order by y and a mask of the right half.

    Equal values from the left come first. Both are of shape (blocks, 2 × block); places
    beyond the last are empty.
    """
    # Padded to a power of two, with weight 0.
    size = 1 << max(1, int(np.ceil(np.log2(len(y_codes)))))
    padded = np.zeros(size, dtype=np.intp)
    padded[: len(y_codes)] = y_codes
    levels = []
    block = 1
    while block < size:
        local = np.argsort(padded.reshape(-1, 2 * block), axis=1, kind="stable")
        starts = np.arange(0, size, 2 * block)[:, None]
        levels.append((local + starts, local >= block))
        block *= 2
    return levels


def _midranks(counts: Matrix) -> Matrix:
    """Return the mean rank, from 1, of each group of ties, given the groups' sizes."""
    ranks: Matrix = np.cumsum(counts, axis=1) - (counts - 1) / 2
    return ranks


def _scaled(values: Vector) -> Vector:
    """Return the values centered and scaled, so that squares neither over- nor underflow."""
    scaled = values / np.abs(values).max()
    scaled -= scaled.mean()
    spread: Vector = scaled / np.abs(scaled).max()
    return spread


def _correlation(weights: Matrix, x: Matrix, y: Matrix) -> Vector:
    """Return Σwxy / √(Σwx²·Σwy²), shape (rows,), of centered columns (rows, n)."""
    weighted = weights * x
    along = np.einsum("rn,rn->r", weighted, y)
    across = np.sqrt(np.einsum("rn,rn->r", weighted, x))
    result: Vector = along / across / np.sqrt(np.einsum("rn,rn->r", weights * y, y))
    return result
