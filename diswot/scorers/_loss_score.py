"""A loss between two networks, made a score."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.taps import Shape, pooled

Taps: TypeAlias = list[tuple[Tensor, ...]]
"""What a loss reads of a network, place by place."""


@dataclass(frozen=True)
class LossScore:
    """Minus the loss between student and teacher, ≤ 0, mean over the places compared.

    The places are paired from the last backwards, as many as both networks have. The
    mean, where papers sum, keeps networks of fewer stages from being at an advantage.

    Attributes:
        read: (network's activations) → what the loss reads, place by place.
        match: (own shape, other's shape) → the shape at which the two are compared.
        describe: (what was read at a place) → what the loss compares of each network.
        compare: (student's, teacher's description) → the loss.
    """

    read: Callable[[Activations], Taps]
    match: Callable[[Shape, Shape], Shape]
    describe: Callable[..., Any]
    compare: Callable[[Any, Any], Tensor]

    def __call__(self, student: Activations, teacher: Activations) -> Tensor:
        """Return the score."""
        places = zip(reversed(self.read(student)), reversed(self.read(teacher)), strict=False)
        losses = [
            self._loss(student, teacher, back, tuple(map(_shape, ours)), tuple(map(_shape, theirs)))
            for back, (ours, theirs) in enumerate(places, start=1)
        ]
        return -torch.stack(losses).mean()

    def _loss(
        self,
        student: Activations,
        teacher: Activations,
        back: int,
        ours: Sequence[Shape],
        theirs: Sequence[Shape],
    ) -> Tensor:
        described = _described(student, self, back, tuple(map(self.match, ours, theirs)))
        shapes = tuple(map(self.match, theirs, ours))
        # Kept for every resolution, but not for every width that students of a space have.
        if [shape[0] for shape in shapes] == [shape[0] for shape in theirs]:
            reference = teacher.once(_described, self, back, shapes)
        else:
            reference = _described(teacher, self, back, shapes)
        return self.compare(described, reference)


def _shape(maps: Tensor) -> Shape:
    return tuple(maps.shape[1:])


def _described(
    activations: Activations, score: LossScore, back: int, shapes: tuple[Shape, ...]
) -> Any:
    """Return the description of the place that is `back` from the end, at these shapes."""
    return score.describe(*map(pooled, score.read(activations)[-back], shapes))
