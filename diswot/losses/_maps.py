"""Base classes of terms that compare feature maps: choose layers, match widths and sizes."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, repeat
from typing import Any, ClassVar, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses._term import LossContext, Paths, Term, TrainingBatch
from diswot.networks import Activations
from diswot.networks.layout import Layout, Tap, paired
from diswot.networks.precision import at_least_single
from diswot.networks.taps import pooled

_T = TypeVar("_T")

Where: TypeAlias = Callable[[Layout], Sequence[Tap]]
"""(layout of a network) → the layers ("taps") that are read if the user names none."""

Flow: TypeAlias = tuple[Tensor, Tensor]
"""Two feature maps (B, C, H, W) and (B, C', H, W) of one network, the earlier first."""


def projection(own: int, other: int) -> nn.Module:
    """Return a trainable 1×1 convolution between two widths, or `Identity` if they are equal.

    Args:
        own: channels of the student's map.
        other: channels of the teacher's map.
    """
    return nn.Identity() if own == other else nn.Conv2d(own, other, kernel_size=1, bias=False)


class MapTerm(Term):
    """A term that compares feature maps of student and teacher at pairs of layers ("taps").

    Taps are chosen by `where`, or named by the options `student` and `teacher` (module paths).
    If the networks have different numbers of taps, they are paired by relative depth. Both maps
    of a pair are average-pooled to the smaller height and width of the two.

    A subclass sets `compare` to the loss of a pair, or overrides `forward`.

    Attributes:
        where: (layout of a network) → the taps that are read by default.
        same_width: whether the student's maps are projected to the teacher's width by a
            trainable 1×1 convolution.
    """

    where: ClassVar[Where] = Layout.stages
    same_width: ClassVar[bool] = False

    def __init__(
        self, context: LossContext, *, student: Paths = None, teacher: Paths = None
    ) -> None:
        super().__init__(context)
        pairs = self._pairs(context, _listed(student), _listed(teacher))
        self.student_taps, self.teacher_taps = zip(*pairs, strict=True)
        self._sizes = self._compared_at()
        self._projections = nn.ModuleList(
            projection(own.shape[0], other.shape[0]) if self.same_width else nn.Identity()
            for own, other in pairs
        )

    @staticmethod
    def compare(student: Any, teacher: Any) -> Tensor:
        """Return the loss of one pair, a scalar.

        Args:
            student: feature map of the student (B, C, H, W), or its flow.
            teacher: feature map of the teacher (B, C', H, W), or its flow.
        """
        raise NotImplementedError

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the sum of the losses of all pairs, a scalar."""
        pairs = self.compared(student, teacher)
        return torch.stack([self.compare(ours, theirs) for ours, theirs in pairs]).sum()

    def _pairs(
        self, context: LossContext, student: Sequence[str], teacher: Sequence[str]
    ) -> list[tuple[Tap, Tap]]:
        return _paired(
            [context.student.tap(path) for path in student] or type(self).where(context.student),
            [context.teacher.tap(path) for path in teacher] or type(self).where(context.teacher),
            student,
            teacher,
        )

    def _compared_at(self) -> list[tuple[int, ...]]:
        """Return the height and width to which the maps of each pair are pooled."""
        return [_smallest(pair) for pair in zip(self.student_taps, self.teacher_taps, strict=True)]

    def compared(self, student: Activations, teacher: Activations) -> Iterator[tuple[Any, Any]]:
        """Yield the arguments of `compare` for every pair: the student's and the teacher's."""
        return self.maps(student, teacher)

    def maps(self, student: Activations, teacher: Activations) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the student's and the teacher's map of every pair, (B, C, H, W) of equal H×W.

        They have at least fp32 precision; the teacher's are detached.
        """
        ours = map(_read, self.student_taps, repeat(student), self._sizes)
        for projected, own, other in zip(
            self._projections, ours, self.teacher_maps(teacher), strict=True
        ):
            yield projected(own), other

    def teacher_maps(self, teacher: Activations) -> Iterator[Tensor]:
        """Yield the teacher's map of every pair, pooled, detached and at least fp32."""
        for tap, size in zip(self.teacher_taps, self._sizes, strict=True):
            yield _read(tap, teacher, size).detach()


class FlowTerm(MapTerm):
    """A term that compares flows: pairs of an earlier and a later feature map of a network.

    By default a flow goes from the first to the last block of a stage; if the user names taps,
    from each tap to the next.
    """

    same_width = True

    def _pairs(
        self, context: LossContext, student: Sequence[str], teacher: Sequence[str]
    ) -> list[tuple[Tap, Tap]]:
        flows = _paired(
            _flows(context.student, student), _flows(context.teacher, teacher), student, teacher
        )
        return [pair for ours, theirs in flows for pair in zip(ours, theirs, strict=True)]

    def _compared_at(self) -> list[tuple[int, ...]]:
        ends = list(zip(self.student_taps, self.teacher_taps, strict=True))
        flows = zip(ends[::2], ends[1::2], strict=True)
        return [size for first, last in flows for size in [_smallest((*first, *last))] * 2]

    def compared(self, student: Activations, teacher: Activations) -> Iterator[tuple[Any, Any]]:
        """Yield the student's and the teacher's flow of every pair."""
        return self.flows(student, teacher)

    def flows(self, student: Activations, teacher: Activations) -> Iterator[tuple[Flow, Flow]]:
        """Yield the student's and the teacher's flow of every pair, prepared as in `maps`."""
        maps = self.maps(student, teacher)
        for (ours_first, theirs_first), (ours_last, theirs_last) in zip(maps, maps, strict=True):
            yield (ours_first, ours_last), (theirs_first, theirs_last)


def _read(tap: Tap, activations: Activations, size: Sequence[int]) -> Tensor:
    return pooled(at_least_single(tap.read(activations)), (tap.shape[0], *size))


def _listed(paths: Paths) -> Sequence[str]:
    return [paths] if isinstance(paths, str) else paths or ()


def _flows(layout: Layout, paths: Sequence[str]) -> Sequence[tuple[Tap, Tap]]:
    if len(paths) == 1:
        raise OptionError(f"a flow leads from one tap to the next, but got {paths[0]!r} alone")
    taps = [layout.tap(path) for path in paths]
    return list(pairwise(taps)) or layout.flows()


def _paired(
    ours: Sequence[_T], theirs: Sequence[_T], student: Sequence[str], teacher: Sequence[str]
) -> list[tuple[_T, _T]]:
    """Pair places by relative depth; all places that the user named must have a partner."""
    named = max(len(ours) if student else 0, len(theirs) if teacher else 0)
    if named > min(len(ours), len(theirs)):
        raise OptionError(
            f"{len(ours)} taps of the student cannot be paired with {len(theirs)} of the teacher: "
            "name as many of both"
        )
    return paired(ours, theirs)


def _smallest(taps: Sequence[Tap]) -> tuple[int, ...]:
    """Return the smallest height and the smallest width of several taps."""
    return tuple(min(sides) for sides in zip(*(tap.shape[1:] for tap in taps), strict=True))
