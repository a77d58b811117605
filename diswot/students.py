"""Networks as students: built from a space, and remembered with what they were made for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn

from diswot.data import ImageSpec
from search_spaces import Architecture, SearchSpace


@dataclass(frozen=True)
class Origin:
    """What is known of a network besides its weights.

    Attributes:
        images: the images that it takes.
        architecture: its name in its search space.
        metrics: what was measured of it.
    """

    images: ImageSpec
    architecture: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


_origins: "WeakKeyDictionary[nn.Module, Origin]" = WeakKeyDictionary()


def build_student(space: SearchSpace, arch: Architecture, images: ImageSpec) -> nn.Module:
    """Build the network of `arch` and remember its origin."""
    network = space.build(arch, images.num_classes)
    remember(network, Origin(images, space.to_string(arch)))
    return network


def remember(network: nn.Module, origin: Origin) -> None:
    """Keep the origin of `network` for as long as the network lives; the network is unchanged."""
    _origins[network] = origin


def origin_of(network: nn.Module) -> Origin | None:
    """Return what is remembered of `network`."""
    return _origins.get(network)
