"""Knowledge review (ReviewKD): compare fused multi-stage features with the teacher's stages.

Source: Chen, Liu, Zhao and Jia, "Distilling Knowledge via Knowledge Review", CVPR 2021,
section 3: attention-based fusion (ABF) merges the student's later maps into earlier ones, and
the hierarchical context loss (HCL) compares them with the teacher's at several resolutions.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Paths, Share, TrainingBatch
from diswot.networks import Activations
from diswot.networks.precision import at_least_single

LEVELS = (4, 2, 1)
"""Resolutions (l × l) at which maps are compared in addition to their own."""

MOST_CHANNELS = 512
"""Upper limit of the number of channels in which maps are fused."""


def reviewkd_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the hierarchical context loss of two maps: Σ_l w_l·MSE_l / Σ_l w_l.

    MSE_l is the mean squared difference of both maps, average-pooled to l×l; w is 1 at their
    own resolution and halves at each smaller level of 4, 2 and 1.

    Args:
        student: fused map (B, C, H, W); gradients flow into it.
        teacher: feature map (B, C, H, W); no gradient flows into it.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> maps = torch.ones(2, 3, 8, 8)
        >>> float(reviewkd_loss(maps, maps)), float(reviewkd_loss(3 * maps, maps))
        (0.0, 4.0)
    """
    student, teacher = at_least_single(student), at_least_single(teacher.detach())
    smaller = [level for level in LEVELS if level < min(student.shape[2:])]
    pooled = [[F.adaptive_avg_pool2d(maps, n) for n in smaller] for maps in (student, teacher)]
    pairs = [(student, teacher), *zip(*pooled, strict=True)]
    weights = [2.0**-level for level in range(len(pairs))]
    losses = [w * F.mse_loss(s, t) for w, (s, t) in zip(weights, pairs, strict=True)]
    return torch.stack(losses).sum() / sum(weights)


class Fusion(nn.Module):
    """Attention-based fusion (ABF) of a stage's map with the fused map of the next stage.

    Args:
        own: channels of the student's map.
        inner: channels in which maps are fused.
        other: channels of the teacher's map.
        last: whether this is the last stage, which has no next one to fuse with.
    """

    def __init__(self, own: int, inner: int, other: int, *, last: bool) -> None:
        super().__init__()
        self._narrow = nn.Sequential(nn.Conv2d(own, inner, 1, bias=False), nn.BatchNorm2d(inner))
        self._attention = None if last else nn.Conv2d(2 * inner, 2, 1)
        self._widen = nn.Sequential(
            nn.Conv2d(inner, other, 3, padding=1, bias=False), nn.BatchNorm2d(other)
        )

    def forward(
        self, maps: Tensor, carried: Tensor | None, size: torch.Size
    ) -> tuple[Tensor, Tensor]:
        """Return the map to compare with the teacher, and the fused map for the previous stage.

        Args:
            maps: the student's map (B, own, H, W).
            carried: fused map (B, inner, H', W') of the next stage; `None` for the last.
            size: height and width of the teacher's map.

        Returns:
            (B, other, *size) and (B, inner, *size).
        """
        fused = self._narrow(maps)
        if self._attention is not None and carried is not None:
            # Two attention maps weight this stage's map and that of the deeper stage.
            carried = F.interpolate(carried, maps.shape[2:])
            weights = self._attention(torch.cat([fused, carried], dim=1)).sigmoid()
            fused = fused * weights[:, :1] + carried * weights[:, 1:]
        fused = F.interpolate(fused, size)
        return self._widen(fused), fused


@register(
    Card(
        "reviewkd",
        "each stage of the teacher with all student stages up to it (ReviewKD)",
        "Chen et al., CVPR 2021, section 3",
        weight=1.0,
        weight_source="default of the authors' code, with ce and a linear warm-up of the weight "
        "over 20 of 240 epochs; their script has 0.6 for ResNet-56 to 20, 5 for WRN, 8 for "
        "ShuffleNetV2",
        reads=("stages", "features"),
        least=None,
    )
)
class ReviewKD(MapTerm):
    """Sum of [`reviewkd_loss`][diswot.losses.reviewkd_loss] over the stages.

    As in the authors' code, the features that the classifier reads are an additional last stage
    of resolution 1×1, the teacher's maps are read before the activation, and the weight has a
    linear warm-up over the first fraction `warmup` of the training.
    """

    reads_features = True

    def __init__(
        self,
        context: LossContext,
        *,
        student: Paths = None,
        teacher: Paths = None,
        warmup: Share = 20 / 240,
    ) -> None:
        super().__init__(context, student=student, teacher=teacher)
        self._warmup = warmup
        self.teacher_taps = [context.teacher.before_activation(tap) for tap in self.teacher_taps]
        taps = zip(self.student_taps, self.teacher_taps, strict=True)
        widths = [(own.shape[0], other.shape[0]) for own, other in taps]
        widths.append((context.student.features, context.teacher.features))
        inner = min(MOST_CHANNELS, context.student.features)
        self._fusions = nn.ModuleList(
            Fusion(own, inner, other, last=stage == len(widths))
            for stage, (own, other) in enumerate(widths, start=1)
        )

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar, with warm-up."""
        ours = [*(tap.read(student) for tap in self.student_taps), _as_map(student.features)]
        theirs = [*(tap.read(teacher) for tap in self.teacher_taps), _as_map(teacher.features)]
        # From the last stage to the first: each fused map is passed on to the stage before.
        losses, carried = [], None
        for fusion, s, t in [*zip(self._fusions, ours, theirs, strict=True)][::-1]:
            compared, carried = fusion(at_least_single(s), carried, t.shape[2:])
            losses.append(reviewkd_loss(compared, t))
        return batch.warmed_up(self._warmup) * torch.stack(losses).sum()


def _as_map(features: Tensor) -> Tensor:
    return features[:, :, None, None]
