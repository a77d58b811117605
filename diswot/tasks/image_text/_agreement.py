"""How well two embedding spaces agree on the same images.

VLM-OOD reports that the student's space resembles the teacher's, but its measures are not
public; these two are ours.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def neighbor_overlap(one: Tensor, other: Tensor, *, nearest: int = 10) -> float:
    """Return the share of nearest neighbors that images have in both spaces.

    The neighbors of an image are the `nearest` other images with the largest cosines.

    Args:
        one: embeddings (n, D) of images.
        other: embeddings (n, E) of the same images in another space.
        nearest: number of neighbors, less than n.

    Returns:
        Mean share, from 0 to 1; it is nearest / (n − 1) on average for unrelated spaces.

    Raises:
        ValueError: the numbers of images differ, or there are too few.

    Examples:
        >>> images = torch.eye(4)
        >>> neighbor_overlap(images, 2 * images, nearest=3)
        1.0
    """
    first, second = (_cosines(item) for item in _paired(one, other, least=nearest + 1))
    mine, theirs = (
        torch.zeros_like(item).scatter_(1, item.topk(nearest, dim=1).indices, 1.0)
        for item in (first.fill_diagonal_(-2.0), second.fill_diagonal_(-2.0))
    )
    return float((mine * theirs).sum() / (nearest * len(one)))


def distance_correlation(one: Tensor, other: Tensor) -> float:
    """Return the rank correlation of the distances of all pairs of images in two spaces.

    It is Spearman's ρ of the cosines of n·(n − 1)/2 pairs.

    Args:
        one: embeddings (n, D) of images.
        other: embeddings (n, E) of the same images in another space.

    Returns:
        A correlation from −1 to 1; 1 for equal orders of distances.

    Raises:
        ValueError: the numbers of images differ, or there are fewer than three.

    Examples:
        >>> images = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> round(distance_correlation(images, images.flip(1)), 4)
        1.0
    """
    from scipy.stats import spearmanr  # imported here: few commands need it

    first, second = _paired(one, other, least=3)
    rows, columns = torch.triu_indices(len(first), len(first), offset=1)
    pairs = (_cosines(item)[rows, columns].cpu().numpy() for item in (first, second))
    return float(spearmanr(*pairs).statistic)


def _cosines(embeddings: Tensor) -> Tensor:
    directions = F.normalize(embeddings.double(), dim=1)
    return directions @ directions.T


def _paired(one: Tensor, other: Tensor, *, least: int) -> tuple[Tensor, Tensor]:
    """Return two sets of embeddings.

    Raises:
        ValueError: they are not of the same images, or there are fewer than `least`.
    """
    if len(one) != len(other) or len(one) < least:
        raise ValueError(
            f"Expected embeddings of the same images, at least {least}, but got {len(one)} and "
            f"{len(other)}"
        )
    return one, other
