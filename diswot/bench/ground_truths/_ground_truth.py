"""Architectures and the accuracies that they were measured to reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diswot.errors import OptionError, UnknownNameError
from diswot.options import DEFAULT_TASK
from search_spaces import Architecture, SearchSpace

Vector = NDArray[np.float64]

MINIMUM = 10
"""Fewer architectures than these say nothing about a ranking."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Accuracies of architectures, which no scorer ever sees.

    Attributes:
        name: what it is called in tables and on the command line.
        space: the space of the architectures.
        space_name: what that is called on the command line.
        data: the dataset to score on, unless `datasets` names another for a target.
        architectures: in the order of all columns.
        targets: each target's accuracies in %.
        depths: layers in sequence that have weights, per cell or in all blocks; `None`
            where that is not known.
        datasets: the dataset to score on, of targets that have one of their own.
        task: what kind of data these are.
        image_size: height and width that images are brought to before they are scored on, where
            networks were trained on larger ones than the dataset has.
        params: parameters of each network, where the table has them.
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

    def accuracies(self, target: str) -> Vector:
        """Return the accuracies in % of one target.

        Raises:
            UnknownNameError: the ground truth has no such target.
        """
        self._check(target)
        return self.targets[target]

    def dataset(self, target: str) -> str:
        """Return the dataset that scorers of this target are to see.

        Raises:
            UnknownNameError: the ground truth has no such target.
        """
        self._check(target)
        return self.datasets.get(target, self.data)

    def sampled(self, count: int, seed: int) -> "GroundTruth":
        """Return `count` of its architectures, drawn at random.

        Raises:
            OptionError: there are not so many, or these are fewer than 10.
        """
        if not MINIMUM <= count <= len(self):
            raise OptionError(
                f"Expected a sample of {MINIMUM} to {len(self):,} architectures, which is all of "
                f"{self.name}, but got {count:,}"
            )
        return self.part(np.random.default_rng(seed).choice(len(self), count, replace=False))

    def part(self, places: Sequence[int] | NDArray[np.int64]) -> "GroundTruth":
        """Return the architectures at some places, in their order."""
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
