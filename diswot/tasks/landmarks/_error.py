"""Normalized mean error of landmarks, with a bootstrap interval."""

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError, OptionError
from diswot.tasks._measure import Measure

Normalizer: TypeAlias = Literal["inter-ocular", "box", "width"]
"""Names of normalizers: divisors of distances."""

RESAMPLES = 2000

MOST_DRAWN = 2**20
"""Maximum number of random indices in memory at once."""

OUTER_EYE_CORNERS = (36, 45)
"""Indices of the outer eye corners among the 68 points of 300-W, from 0."""


def _inter_ocular(points: Tensor, _width: int) -> Tensor:
    if points.shape[1] != 68:
        raise OptionError(
            "Expected 68 landmarks for the normalizer inter-ocular (the outer eye corners of "
            f"300-W), but got {points.shape[1]}: choose box or width"
        )
    left, right = OUTER_EYE_CORNERS
    distance: Tensor = torch.linalg.vector_norm(points[:, left] - points[:, right], dim=1)
    return distance


def _box(points: Tensor, _width: int) -> Tensor:
    return (points.amax(dim=1) - points.amin(dim=1)).prod(dim=1).sqrt()


def _width(points: Tensor, width: int) -> Tensor:
    return torch.full((len(points),), float(width), dtype=points.dtype)


NORMALIZERS: Mapping[Normalizer, Callable[[Tensor, int], Tensor]] = {
    "inter-ocular": _inter_ocular,
    "box": _box,
    "width": _width,
}
"""Name → function (points (n, K, 2), image width) → divisors (n,).

`inter-ocular`: distance of the outer eye corners; `box`: √(width·height) of the points'
bounding box; `width`: width of the image.
"""


def normalized_errors(
    predicted: Tensor, truth: Tensor, *, normalizer: Normalizer, width: int
) -> Tensor:
    """Return each image's mean distance of its M points divided by its normalizer, shape (n,).

    Args:
        predicted: predicted points in pixels, shape (n, M, 2).
        truth: true points in pixels, shape (n, M, 2).
        normalizer: key of `NORMALIZERS`; computed from the true points.
        width: width of the images in pixels.

    Raises:
        OptionError: the normalizer is unknown or does not fit the points.
        DataError: an image's normalizer is 0.

    Examples:
        >>> truth = torch.tensor([[[0.0, 0.0], [4.0, 4.0]]])
        >>> normalized_errors(truth + 1, truth, normalizer="width", width=10)
        tensor([0.1414])
    """
    if normalizer not in NORMALIZERS:
        known = ", ".join(get_args(Normalizer))
        raise OptionError(f"Expected a normalizer of {known}, but got {normalizer!r}")
    scale = NORMALIZERS[normalizer](truth, width)
    if not (scale > 0).all():
        raise DataError(
            f"the normalizer {normalizer} is 0 for {int((scale <= 0).sum())} images: "
            "leave them out, or choose another"
        )
    distances: Tensor = torch.linalg.vector_norm(predicted - truth, dim=2)
    return distances.mean(dim=1) / scale


def normalized_mean_error(
    errors: Tensor, *, groups: Tensor | None = None, seed: int = 0, unit: str = "%"
) -> Measure:
    """Return the mean of per-image errors with its 95 % percentile-bootstrap interval.

    Args:
        errors: error of each image, shape (n,).
        groups: person of each image, shape (n,); if given, whole persons are resampled, since
            images of one person are not independent.
        seed: seed of the resamples.
        unit: unit of the errors, see [`Measure`][diswot.tasks.Measure].

    Raises:
        DataError: there are no images, or an error is not finite.
    """
    low, high = bootstrap_interval(errors, groups=groups, seed=seed)
    value = float(errors.double().mean())
    return Measure("NME", value, low, high, len(errors), unit=unit, higher_is_better=False)


def bootstrap_interval(
    values: Tensor, *, groups: Tensor | None = None, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile-bootstrap interval of the mean of values (n,).

    Args:
        values: value of each image, shape (n,).
        groups: person of each image, shape (n,); if given, whole persons are resampled.
        seed: seed of the resamples.

    Raises:
        DataError: there are no values, or one is not finite.
    """
    if len(values) == 0 or not values.isfinite().all():
        raise DataError(
            f"Expected finite errors of at least one image, but got {len(values)} of which "
            f"{int((~values.isfinite()).sum())} are not finite"
        )
    # Cluster bootstrap: draw groups with replacement; a mean is Σ sums / Σ counts of the groups.
    of_group = torch.arange(len(values)) if groups is None else _numbered(groups)
    sums = torch.zeros(int(of_group.max()) + 1, dtype=torch.double).index_add_(
        0, of_group, values.double()
    )
    counts = torch.bincount(of_group).double()
    rng = np.random.default_rng(seed)
    means, at_once = [], max(1, MOST_DRAWN // len(sums))
    for first in range(0, RESAMPLES, at_once):
        size = min(at_once, RESAMPLES - first), len(sums)
        drawn = torch.from_numpy(rng.integers(len(sums), size=size))
        means.append(sums[drawn].sum(dim=1) / counts[drawn].sum(dim=1))
    low, high = torch.cat(means).quantile(torch.tensor([0.025, 0.975], dtype=torch.double)).tolist()
    return low, high


def _numbered(groups: Tensor) -> Tensor:
    """Renumber groups from 0 without gaps."""
    _, numbers = np.unique(groups.numpy(), return_inverse=True)
    return torch.from_numpy(numbers)
