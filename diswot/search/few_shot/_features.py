"""Features of candidates that need no training: genes, costs and terms of the score."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from diswot.search._candidate import Candidate
from diswot.search._selection import COSTS

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

_SEPARATORS = re.compile(r"[^\w.<>~=-]+")


def features(candidates: Sequence[Candidate]) -> Matrix:
    """Return the features of candidates, where genes and numbers have the same total variance.

    Args:
        candidates: N scored candidates of one search.

    Returns:
        Features (N, D): word counts of names, and normal scores of costs and terms.
    """
    columns = [_cost(candidates, name) for name in COSTS]
    terms = [[candidate.means[name] for candidate in candidates] for name in candidates[0].means]
    numbers = [column for column in (*columns, *terms) if column is not None]
    return features_of([candidate.name for candidate in candidates], numbers)


def features_of(names: Sequence[str], numbers: Sequence[Sequence[float] | Vector]) -> Matrix:
    """Return the features of architectures by their names and what is known of them.

    Args:
        names: N names of architectures.
        numbers: costs, scores, …; N numbers each.

    Returns:
        Features (N, D): word counts of names, and normal scores of the numbers.
    """
    columns = np.column_stack([normal_scores(number) for number in numbers])
    return grouped([*genes(names), columns])


def _cost(candidates: Sequence[Candidate], name: str) -> list[float] | None:
    values = [getattr(candidate.costs, name) for candidate in candidates]
    return None if None in values else values


def genes(names: Sequence[str]) -> list[Matrix]:
    """Return word counts of architecture names: per position, and over all positions.

    Args:
        names: N names of architectures.

    Returns:
        Two matrices (N, words): one column per (position, word), and one per word.

    Examples:
        >>> at_places, counts = genes(["3-1-5", "3-3-1"])
        >>> at_places.shape, counts.tolist()
        ((2, 5), [[1.0, 1.0, 1.0], [1.0, 2.0, 0.0]])
    """
    words = [[word for word in _words(name) if word] for name in names]
    placed = [[f"{index}:{word}" for index, word in enumerate(item)] for item in words]
    return [_counts(placed), _counts(words)]


def _words(name: str) -> list[str]:
    return _SEPARATORS.split(name) if not re.fullmatch(r"[\d-]+", name) else name.split("-")


def _counts(words: list[list[str]]) -> Matrix:
    # Imported here to keep commands that train nothing fast to start.
    from sklearn.feature_extraction.text import CountVectorizer

    counted = CountVectorizer(analyzer=lambda item: item).fit_transform(words)
    return np.asarray(counted.toarray(), dtype=np.float64)


def grouped(groups: Sequence[Matrix]) -> Matrix:
    """Standardize columns and concatenate groups so that each group has the same total variance.

    Args:
        groups: matrices (N, columns); constant columns are dropped.

    Returns:
        A matrix (N, D); one column of zeros if all columns are constant.
    """
    kept = [group[:, group.std(axis=0) > 0] for group in groups]
    scaled = [(g - g.mean(axis=0)) / g.std(axis=0) / np.sqrt(g.shape[1]) for g in kept if g.size]
    if not scaled:
        return np.zeros((len(groups[0]), 1))
    return np.asarray(np.column_stack(scaled) / np.sqrt(len(scaled)), dtype=np.float64)


def normal_scores(values: Sequence[float] | Vector) -> Vector:
    """Return normal scores: the standard normal quantiles of the values' ranks.

    Args:
        values: N numbers of any distribution.

    Returns:
        The scores (N,); ties share the score of their mean rank.

    Examples:
        >>> normal_scores([3.0, 1e9, 2.0]).round(2).tolist()
        [0.0, 0.97, -0.97]
    """
    return np.asarray(norm.ppf((rankdata(values) - 0.5) / len(values)), dtype=np.float64)
