"""Architectures with measured accuracies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diswot.errors import OptionError, UnknownNameError
from diswot.options import DEFAULT_TASK
from search_spaces import Architecture, SearchSpace

Vector = NDArray[np.float64]

MINIMUM = 10
"""Minimum number of architectures of a ranking."""

DISTILLED = "distilled"
"""The default target, if a ground truth has it."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Measured accuracies of architectures, which scorers have no access to.

    Attributes:
        name: name in tables and on the command line.
        space: search space of the architectures.
        space_name: name of the space on the command line.
        data: the dataset to score on, unless `datasets` names another for a target.
        architectures: n architectures, in the order of all columns.
        targets: target → accuracies in %, shape (n,).
        depths: number of consecutive layers with weights, per cell or in all blocks, shape
            (n,); `None` if unknown.
        datasets: target → dataset to score on, where it is not `data`.
        task: name of the task.
        image_size: height and width to which images are resized before scoring, if the networks
            were trained on images of another size than the dataset has.
        params: number of parameters of each network, shape (n,); `None` if not in the table.
    """

    name: str
    space: SearchSpace
    space_name: str
    data: str
    architectures: tuple[Architecture, ...]
    targets: Mapping[str, Vector]
    depths: Vector | None = None
    datasets: Mapping[str, str] = field(default_factory=dict)
    task: str = DEFAULT_TASK
    image_size: int | None = None
    params: Vector | None = None

    def __len__(self) -> int:
        return len(self.architectures)

    @property
    def default_target(self) -> str:
        """The accuracies of distilled networks, or else the first target."""
        return DISTILLED if DISTILLED in self.targets else next(iter(self.targets))

    def accuracies(self, target: str) -> Vector:
        """Return the accuracies of one target in %, shape (n,).

        Raises:
            UnknownNameError: the ground truth has no such target.
        """
        self._check(target)
        return self.targets[target]

    def dataset(self, target: str) -> str:
        """Return the dataset to score on for a target.

        Raises:
            UnknownNameError: the ground truth has no such target.
        """
        self._check(target)
        return self.datasets.get(target, self.data)

    def sampled(self, count: int, seed: int) -> "GroundTruth":
        """Return a random subset of `count` architectures.

        Raises:
            OptionError: `count` is below 10 or above the number of architectures.
        """
        if not MINIMUM <= count <= len(self):
            raise OptionError(
                f"Expected a sample of {MINIMUM} to {len(self):,} architectures, which is all of "
                f"{self.name}, but got {count:,}"
            )
        return self.part(np.random.default_rng(seed).choice(len(self), count, replace=False))

    def part(self, places: Sequence[int] | NDArray[np.int64]) -> "GroundTruth":
        """Return the subset at the indices `places`, in that order."""
        chosen = np.asarray(places)
        return replace(
            self,
            architectures=tuple(self.architectures[i] for i in chosen),
            targets={name: column[chosen] for name, column in self.targets.items()},
            depths=None if self.depths is None else self.depths[chosen],
            params=None if self.params is None else self.params[chosen],
        )

    def _check(self, target: str) -> None:
        if target not in self.targets:
            raise UnknownNameError(f"target of {self.name}", target, self.targets)
