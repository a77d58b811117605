"""Factor transfer (FT): match a compressed representation of the teacher's last feature map.

Source: Kim, Park and Kwak, "Paraphrasing Complex Network: Network Compression via Factor
Transfer", NeurIPS 2018, section 3: the paraphraser, an autoencoder, is trained on the
teacher's last map first; its encoder gives the teacher's factors. The translator computes the
student's factors and is trained with the student.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.losses._maps import MapTerm
from diswot.losses._registry import register
from diswot.losses._term import Card, LossContext, Paths, Positive, TrainingBatch
from diswot.networks import Activations
from diswot.networks.layout import Layout
from diswot.networks.precision import at_least_single

RATE = 1e-3
"""Learning rate of the paraphraser."""


def factors(maps: Tensor) -> Tensor:
    """Return F/‖F‖₂ per image, flattened from (B, C, H, W) to (B, C·H·W)."""
    return F.normalize(at_least_single(maps).flatten(1), dim=1)


def ft_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of |F_T/‖F_T‖₂ − F_S/‖F_S‖₂|, the loss of the paper with p = 1.

    Deviation: the paper has the norm; the authors' code takes the mean over all entries, for
    which its weight of 500 is meant.

    Args:
        student: factors (B, C, H, W); gradients flow into them.
        teacher: factors (B, C, H, W); no gradient flows into them.

    Returns:
        A scalar ≥ 0.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(ft_loss(maps, 2 * maps)) < 1e-6  # the scale does not matter
        True
    """
    return F.l1_loss(factors(student), factors(teacher.detach()))


def translator(channels: int, factors: int) -> nn.Sequential:
    """Return three convolutions from a map to its factors: translator, or paraphraser's encoder.

    Args:
        channels: channels of the map.
        factors: channels of the factors.
    """
    return nn.Sequential(
        *_convolved(nn.Conv2d, channels, channels),
        *_convolved(nn.Conv2d, channels, factors),
        *_convolved(nn.Conv2d, factors, factors),
    )


def rebuilder(channels: int, factors: int) -> nn.Sequential:
    """Return three transposed convolutions from factors to the map: the paraphraser's decoder.

    Args:
        channels: channels of the map.
        factors: channels of the factors.
    """
    return nn.Sequential(
        *_convolved(nn.ConvTranspose2d, factors, factors),
        *_convolved(nn.ConvTranspose2d, factors, channels),
        *_convolved(nn.ConvTranspose2d, channels, channels),
    )


def _convolved(
    kind: type[nn.Conv2d] | type[nn.ConvTranspose2d], before: int, after: int
) -> list[nn.Module]:
    return [kind(before, after, 3, padding=1), nn.LeakyReLU(0.1)]


@register(
    Card(
        "ft",
        "factors of the last feature map, from an autoencoder of the teacher's maps (FT)",
        "Kim et al., NeurIPS 2018, section 3",
        weight=500.0,
        weight_source="the authors' code on CIFAR-10 (β), with ce",
        reads=("feature maps",),
        least=None,
    )
)
class FactorTransfer(MapTerm):
    """[`ft_loss`][diswot.losses.ft_loss] of translated and paraphrased maps.

    Deviation: the paraphraser is trained with Adam, which works for maps of any scale; the
    authors' code uses SGD with a learning rate for one teacher.

    Options: `student` and `teacher` name the layers, and `k` is the number of factors divided
    by the number of the teacher's channels.
    """

    where = Layout.last
    _prepared: Tensor

    def __init__(
        self,
        context: LossContext,
        *,
        student: Paths = None,
        teacher: Paths = None,
        k: Positive = 0.5,
    ) -> None:
        super().__init__(context, student=student, teacher=teacher)
        widths = [tap.shape[0] for tap in self.teacher_taps]
        counts = [max(1, round(k * width)) for width in widths]
        self._translators = nn.ModuleList(
            translator(tap.shape[0], n) for tap, n in zip(self.student_taps, counts, strict=True)
        )
        self._paraphrasers = nn.ModuleList(map(translator, widths, counts)).requires_grad_(False)
        self._rebuilders = nn.ModuleList(map(rebuilder, widths, counts)).requires_grad_(False)
        self.register_buffer("_prepared", torch.tensor(False))

    @property
    def needs_preparation(self) -> bool:
        """Whether the paraphrasers are still untrained."""
        return not bool(self._prepared)

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train the paraphrasers to reconstruct the teacher's maps.

        Args:
            batches: outputs of the teacher, batch by batch; one optimizer step each.
        """
        # The paraphraser is an autoencoder of the teacher's maps; its encoder is frozen afterwards.
        learning = nn.ModuleList([self._paraphrasers, self._rebuilders]).requires_grad_(True)
        optimizer = torch.optim.Adam(learning.parameters(), lr=RATE)
        for teacher in batches:
            optimizer.zero_grad()
            with torch.enable_grad():  # a generator of teacher outputs may have disabled it
                self.rebuilding(teacher).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        optimizer.zero_grad()  # so that the student's optimizer does not see the last gradient
        learning.requires_grad_(False)
        self._prepared.fill_(True)

    def rebuilding(self, teacher: Activations) -> Tensor:
        """Return the paraphrasers' reconstruction error (MSE), summed over maps; a scalar."""
        pairs = zip(self._paraphrasers, self._rebuilders, self.teacher_maps(teacher), strict=True)
        errors = [F.mse_loss(rebuild(encode(maps)), maps) for encode, rebuild, maps in pairs]
        return torch.stack(errors).sum()

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss of the batch, a scalar."""
        both = zip(self._translators, self._paraphrasers, self.maps(student, teacher), strict=True)
        losses = [ft_loss(ours(s), theirs(t)) for ours, theirs, (s, t) in both]
        return torch.stack(losses).sum()
