"""Whether the networks of a space can be scored, looked at before anything is."""

from functools import partial

import numpy as np
import torch

from diswot.errors import DiswotError, SpaceError, first_line
from diswot.networks import trial_pass
from diswot.networks.meta import build_on_meta
from diswot.tasks.images import ImageSpec
from search_spaces import Architecture, SearchSpace

CHECKED = 5
"""Architectures that are looked at before a space is refused."""


def check_space(space: SearchSpace, images: ImageSpec, rng: np.random.Generator) -> None:
    """Make sure that a space has networks that can be scored, on the meta device.

    Some may be faulty: the space is refused if none of a few drawn at random will do.

    Raises:
        SpaceError: its architectures cannot be drawn or built.
        NetworkError: its networks cannot be scored for these images.
    """
    errors: list[DiswotError] = []
    for _ in range(CHECKED):
        try:
            arch = space.sample(rng)
        except Exception as error:
            raise SpaceError(
                f"sampling the space {type(space).__name__} raised {type(error).__name__}: "
                f"{first_line(error)}; mend the space"
            ) from error
        try:
            check_architecture(space, arch, images)
        except DiswotError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def check_architecture(space: SearchSpace, arch: Architecture, images: ImageSpec) -> None:
    """Make sure that the network of `arch` can be scored and trained, on the meta device.

    Raises:
        SpaceError: it cannot be built.
        NetworkError: it cannot take the images, has the wrong number of classes, no feature
            map, or an output of another shape in training mode.
    """
    who = f"architecture {space.to_string(arch)}"
    try:
        network = build_on_meta(partial(space.build, arch, images.num_classes))
    except Exception as error:
        raise SpaceError(
            f"{who}: build raised {type(error).__name__}: {first_line(error)}; fix the space"
        ) from error
    batch = torch.empty(2, *images.shape, device="meta")
    trial_pass(network, batch, outputs=images.num_classes, who=who, training=True)
