"""Landmarks of drawings: left and right edges of the ink in each row."""

import torch
from torch import Tensor

from diswot.errors import DataError

SHARES = (0.1, 0.9)
"""Cumulative shares of a row's ink, from the left, at which its two points lie."""


def row_edges(images: Tensor) -> Tensor:
    """Return left and right edges of the ink in every row, in pixels, shape (n, 2·rows, 2).

    The edges of a row lie where 10 % and 90 % of its ink have been passed, with linear
    interpolation within a pixel. A row without ink has the edges of the nearest row with
    ink. The points are x and y from the upper left corner: all left edges from the top,
    then all right ones.

    Args:
        images: images of shape (n, rows, columns); positive values are ink.

    Raises:
        DataError: an image has no ink.

    Examples:
        >>> row_edges(torch.tensor([[[0.0, 1.0, 1.0, 0.0]]]))
        tensor([[[1.2000, 0.5000],
                 [2.8000, 0.5000]]])
    """
    count, rows, _ = images.shape
    ink = images.clamp_min(0).double()
    inked = ink.sum(dim=2) > 0
    if not inked.any(dim=1).all():
        raise DataError(f"{int((~inked.any(dim=1)).sum())} images have no ink, so no outline")
    distance = (torch.arange(rows)[:, None] - torch.arange(rows)).abs()
    # Rows without ink get the profile of the nearest row with ink.
    nearest = distance.masked_fill(~inked[:, None, :], rows).argmin(dim=2)
    ink = ink.gather(1, nearest[:, :, None].expand_as(ink))
    before = torch.cat([torch.zeros(count, rows, 1).double(), ink.cumsum(dim=2)], dim=2)
    edges = [_passed(before, share) for share in SHARES]
    heights = (torch.arange(rows) + 0.5).double().expand(count, rows)
    return torch.cat([torch.stack([edge, heights], dim=2) for edge in edges], dim=1).float()


def _passed(before: Tensor, share: float) -> Tensor:
    """Return the x at which the cumulative ink (`before`, at pixel edges) reaches a share."""
    wanted = share * before[:, :, -1:]
    pixel = (before[:, :, 1:] < wanted).sum(dim=2, keepdim=True)
    left, right = before.gather(2, pixel), before.gather(2, pixel + 1)
    return (pixel + (wanted - left) / (right - left)).squeeze(2)
