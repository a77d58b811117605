"""Turn a distillation loss between two networks into a score."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from diswot.networks import Activations
from diswot.networks.taps import Shape, pooled

Taps: TypeAlias = list[tuple[Tensor, ...]]
"""Tensors that a loss reads from a network: one tuple per place (layer or stage)."""


@dataclass(frozen=True)
class LossScore:
    """The negated loss between student and teacher, averaged over places; ≤ 0.

    Places are paired from the last backwards, as many as both networks have. Papers sum over
    places; the mean avoids an advantage for networks with fewer stages.

    Attributes:
        read: (activations) → tensors that the loss reads, one tuple per place.
        match: (own shape, other network's shape) → shape to which own tensors are pooled.
        describe: (tensors of one place) → the representation that the loss compares.
        compare: (student's representation, teacher's) → the loss.
    """

    read: Callable[[Activations], Taps]
    match: Callable[[Shape, Shape], Shape]
    describe: Callable[..., Any]
    compare: Callable[[Any, Any], Tensor]

    def __call__(self, student: Activations, teacher: Activations) -> Tensor:
        """Return the score, a scalar ≤ 0.

        Args:
            student: activations of the student.
            teacher: activations of the teacher for the same batch.
        """
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
        # Cache the teacher's representation per resolution, but not per width of students,
        # of which a space can have many.
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
    """Return the representation of the place `back` from the end, pooled to these shapes."""
    return score.describe(*map(pooled, score.read(activations)[-back], shapes))
