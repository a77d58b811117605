"""Whether the networks of a space can be scored, looked at before anything is."""

from functools import partial

import numpy as np

from diswot.errors import DiswotError, OptionError, SpaceError, first_line
from diswot.networks.meta import build_on_meta
from diswot.scorers import Scorer
from diswot.tasks import Dataset, Task, try_network
from search_spaces import Architecture, SearchSpace

CHECKED = 5
"""Architectures that are looked at before a space is refused."""


def check_reads(scorer: Scorer, task: Task) -> None:
    """Make sure that a task's networks give what a scorer reads.

    Raises:
        OptionError: they do not; names what is missing.
    """
    missing = [name for name in scorer.card.reads if name not in task.reads]
    if missing:
        raise OptionError(
            f"the scorer {scorer.card.name} reads {' and '.join(missing)}, which networks of the "
            f"task {task.name} do not give (they give {', '.join(sorted(task.reads))}): use another"
        )


def check_space(space: SearchSpace, data: Dataset, rng: np.random.Generator) -> None:
    """Make sure that a space has networks that can be scored, on the meta device.

    Some may be faulty: the space is refused if none of a few drawn at random will do.

    Args:
        space: the search space.
        data: what its networks are for.
        rng: draws the architectures.

    Raises:
        SpaceError: its architectures cannot be drawn or built.
        NetworkError: its networks cannot be scored for these data.
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
    """Make sure that the network of `arch` can be scored and trained, on the meta device.

    Raises:
        SpaceError: it cannot be built.
        NetworkError: it cannot take the inputs, has the wrong number of outputs, no feature
            map where it must have one, or an output of another shape in training mode.
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
