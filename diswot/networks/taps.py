"""Select, pair and pool the feature maps at which two networks are compared."""

import math
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import TypeAlias, TypeVar

from torch import Tensor
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import Activations, Watch, as_map, is_map
from diswot.networks.layers import blocks

_T = TypeVar("_T")

Shape: TypeAlias = tuple[int, ...]
"""(C, H, W) of a feature map, or (C,) of a vector."""

THIRDS = 3
"""Number of stages of a network whose blocks all have the same resolution."""


def _map_or_none(_given: Tensor, output: Tensor) -> Tensor | None:
    return as_map(output) if is_map(output) else None


BLOCK_MAPS: Watch[Tensor | None] = Watch(blocks, _map_or_none)
"""Records the feature map (B, C, H, W) of every block; tokens are arranged as a map."""


def stages(activations: Activations) -> list[Tensor]:
    """Return the last feature map (B, C, H, W) of every stage.

    A stage consists of consecutive blocks with the same resolution. If all blocks have the
    same, as in transformers, the stages are the first, second and last third of the blocks.

    Args:
        activations: activations recorded with the watch `BLOCK_MAPS`.

    Raises:
        NetworkError: no block outputs a feature map.

    Examples:
        >>> import torch
        >>> from diswot.networks import ActivationReader
        >>> from search_spaces import CifarResNet
        >>> network = CifarResNet((3, 5, 1), num_classes=10)
        >>> with ActivationReader(network, watches=[BLOCK_MAPS]) as read:
        ...     [tuple(maps.shape[1:]) for maps in stages(read(torch.zeros(2, 3, 32, 32)))]
        [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
    """
    return [stage[-1] for stage in _staged(activations)]


def flows(activations: Activations) -> list[tuple[Tensor, Tensor]]:
    """Return the first and the last feature map (B, C, H, W) of every stage.

    Stages are those of [`stages`][diswot.networks.taps.stages]. For a stage of one block, both
    maps are the same.

    Args:
        activations: activations recorded with the watch `BLOCK_MAPS`.

    Raises:
        NetworkError: no block outputs a feature map.
    """
    return [(stage[0], stage[-1]) for stage in _staged(activations)]


def _staged(activations: Activations) -> list[list[Tensor]]:
    maps = [item for item in activations.watched(BLOCK_MAPS) if item is not None]
    if not maps:
        raise NetworkError(
            "no block of the network returns a feature map (B, C, H, W) or tokens (B, T, C), so it "
            "has no stages to compare: write its blocks as modules, or use another scorer"
        )
    return in_stages(maps, lambda item: item.shape[2:])


def in_stages(places: Sequence[_T], resolution: Callable[[_T], Shape]) -> list[list[_T]]:
    """Group consecutive places by resolution, or in thirds if all have the same."""
    by_resolution = [list(run) for _, run in groupby(places, key=resolution)]
    if len(by_resolution) > 1:
        return by_resolution
    ends = sorted({math.ceil(len(places) * third / THIRDS) for third in range(THIRDS + 1)})
    return [list(places[start:end]) for start, end in pairwise(ends)]


def common_shape(own: Shape, other: Shape) -> Shape:
    """Return the smaller number of channels, height and width of two feature maps."""
    return tuple(map(min, own, other))


def common_height_and_width(own: Shape, other: Shape) -> Shape:
    """Return the own number of channels, with the smaller height and width of two maps."""
    return own[0], *map(min, own[1:], other[1:])


def pooled(maps: Tensor, shape: Shape) -> Tensor:
    """Average-pool feature maps to `shape`, over positions and over channels.

    If there are more channels than in `shape`, neighboring ones are averaged, because there is
    no trained projection.

    Args:
        maps: feature maps (B, C, H, W), or vectors (B, C).
        shape: shape of the result without B; no axis may be longer than in `maps`.

    Examples:
        >>> import torch
        >>> pooled(torch.tensor([[1.0, 3.0, 5.0, 7.0]]).reshape(1, 4, 1, 1), (2, 1, 1)).flatten()
        tensor([2., 6.])
    """
    if maps.shape[2:] != shape[1:]:
        height, width = shape[1:]
        maps = F.adaptive_avg_pool2d(maps, (height, width))
    if maps.shape[1] == shape[0]:
        return maps
    by_place = maps.flatten(2).mT if maps.ndim == 4 else maps[:, None]
    return F.adaptive_avg_pool1d(by_place, shape[0]).mT.reshape(-1, *shape)
