"""Check on the meta device, before the search, that networks of a space can be scored."""

from functools import partial

import numpy as np

from diswot.errors import DiswotError, OptionError, SpaceError, first_line
from diswot.networks.meta import build_on_meta
from diswot.scorers import Scorer
from diswot.tasks import Dataset, Task, try_network
from search_spaces import Architecture, SearchSpace

CHECKED = 5
"""Number of random architectures that must all fail before a space is refused."""


def check_reads(scorer: Scorer, task: Task) -> None:
    """Make sure that a task's networks provide what a scorer reads, such as feature maps.

    Raises:
        OptionError: something is missing; the message names it.
    """
    missing = [name for name in scorer.card.reads if name not in task.reads]
    if missing:
        raise OptionError(
            f"the scorer {scorer.card.name} reads {' and '.join(missing)}, which networks of the "
            f"task {task.name} do not provide (they provide {', '.join(sorted(task.reads))}): "
            f"use another"
        )


def check_space(space: SearchSpace, data: Dataset, rng: np.random.Generator) -> None:
    """Make sure, on the meta device, that a space has networks that can be scored.

    Some architectures may be faulty: a space is refused only if all of a few random ones are.

    Args:
        space: the search space.
        data: the dataset that the networks must fit.
        rng: draws the architectures.

    Raises:
        SpaceError: architectures cannot be drawn or built.
        NetworkError: the networks do not fit the data; the first error is raised.
    """
    errors: list[DiswotError] = []
    for _ in range(CHECKED):
        try:
            arch = space.sample(rng)
        except Exception as error:
            raise SpaceError(
                f"sampling the space {type(space).__name__} raised {type(error).__name__}: "
                f"{first_line(error)}; fix the space"
            ) from error
        try:
            check_architecture(space, arch, data)
        except DiswotError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def check_architecture(space: SearchSpace, arch: Architecture, data: Dataset) -> None:
    """Make sure, on the meta device, that the network of `arch` can be scored and trained.

    Args:
        space: the search space.
        arch: an architecture of the space.
        data: the dataset that the network must fit.

    Raises:
        SpaceError: the network cannot be built.
        NetworkError: its forward pass fails, it has the wrong number of outputs or no feature
            map where the task needs one, or its output has another shape in training mode.
    """
    who = f"architecture {space.to_string(arch)}"
    try:
        network = build_on_meta(partial(space.network, arch, data.signature))
    except Exception as error:
        raise SpaceError(
            f"{who}: build raised {type(error).__name__}: {first_line(error)}; fix the space, or "
            f"choose one for the task {data.task.name}"
        ) from error
    inputs = data.signature.example(2, device="meta")
    try_network(network, inputs, data, who=who, training=True)
