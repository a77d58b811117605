"""Factor transfer: the student's map, translated, is the teacher's in other words.

Source: Kim, Park and Kwak, "Paraphrasing Complex Network: Network Compression via Factor
Transfer", NeurIPS 2018, section 3: a paraphraser learns factors of the teacher's last map
by rebuilding it, before the student is trained; a translator learns the student's.
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
"""At which the paraphraser learns."""


def factors(maps: Tensor) -> Tensor:
    """Return F/‖F‖₂ of each image's factors (B, C, H, W), as (B, C·H·W)."""
    return F.normalize(at_least_single(maps).flatten(1), dim=1)


def ft_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean of |F_T/‖F_T‖₂ − F_S/‖F_S‖₂|, the loss of the paper with p = 1.

    Deviation: the paper prints the norm; the authors' code takes the mean over all
    entries, to which its weight of 500 belongs.

    Args:
        student: factors (B, C, H, W); gradients flow into them.
        teacher: factors (B, C, H, W); no gradient flows into them.

    Examples:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(ft_loss(maps, 2 * maps)) < 1e-6  # the scale does not matter
        True
    """
    return F.l1_loss(factors(student), factors(teacher.detach()))


def translator(channels: int, factors: int) -> nn.Sequential:
    """Return three convolutions that make factors of a map; encoder of a paraphraser too."""
    return nn.Sequential(
        *_convolved(nn.Conv2d, channels, channels),
        *_convolved(nn.Conv2d, channels, factors),
        *_convolved(nn.Conv2d, factors, factors),
    )


def rebuilder(channels: int, factors: int) -> nn.Sequential:
    """Return three transposed convolutions that make a map of its factors."""
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
        "factors of the last map, found by rebuilding the teacher's (FT)",
        "Kim et al., NeurIPS 2018, section 3",
        weight=500.0,
        weight_source="β of the authors' code on CIFAR-10, with ce",
        reads=("feature maps",),
        least=None,
    )
)
class FactorTransfer(MapTerm):
    """[`ft_loss`][diswot.losses.ft_loss] of translated and paraphrased maps.

    Deviation: the paraphraser is trained with Adam, which suits maps of any scale; the
    authors' code has SGD at a rate for one teacher.

    In addition to the taps, the option `k` is the number of factors for each of the teacher's
    channels.
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
        """Whether the paraphrasers have learnt nothing yet."""
        return not bool(self._prepared)

    def prepare(self, batches: Iterable[Activations]) -> None:
        """Train the paraphrasers to rebuild the teacher's maps."""
        # The paraphraser is an autoencoder of the teacher's maps; its encoder is frozen afterwards.
        learning = nn.ModuleList([self._paraphrasers, self._rebuilders]).requires_grad_(True)
        optimizer = torch.optim.Adam(learning.parameters(), lr=RATE)
        for teacher in batches:
            optimizer.zero_grad()
            with torch.enable_grad():  # a generator of batches may have left it off
                self.rebuilding(teacher).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        optimizer.zero_grad()  # or another optimizer would take the last gradient up
        learning.requires_grad_(False)
        self._prepared.fill_(True)

    def rebuilding(self, teacher: Activations) -> Tensor:
        """Return the mean squared error of the teacher's maps rebuilt from their factors."""
        pairs = zip(self._paraphrasers, self._rebuilders, self.teacher_maps(teacher), strict=True)
        errors = [F.mse_loss(rebuild(encode(maps)), maps) for encode, rebuild, maps in pairs]
        return torch.stack(errors).sum()

    def forward(self, student: Activations, teacher: Activations, batch: TrainingBatch) -> Tensor:
        """Return the loss."""
        both = zip(self._translators, self._paraphrasers, self.maps(student, teacher), strict=True)
        losses = [ft_loss(ours(s), theirs(t)) for ours, theirs, (s, t) in both]
        return torch.stack(losses).sum()
