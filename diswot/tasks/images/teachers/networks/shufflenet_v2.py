"""ShuffleNet V2, in the form for small images."""

from collections.abc import Sequence

from torch import Tensor, cat, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import ChannelShuffle, convolution

STEM = 24
WIDTHS = (116, 232, 464)
"""Channels of each stage at complexity 1×."""

UNITS = (4, 8, 4)
"""Units of each stage."""

LAST = 1024


class Branch(nn.Module):
    """1×1, depthwise 3×3 and 1×1 convolutions."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int) -> None:
        super().__init__()
        self.enter = convolution(in_channels, out_channels, 1)
        self.depthwise = convolution(
            out_channels, out_channels, 3, stride=stride, groups=out_channels, activation=None
        )
        self.leave = convolution(out_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        y: Tensor = self.leave(self.depthwise(self.enter(x)))
        return y


class Unit(nn.Module):
    """Convolutions on half of the channels, an identity on the other half; then a shuffle.

    Source: Ma et al., ECCV 2018, figure 3 (c).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = Branch(channels // 2, channels // 2, stride=1)
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels, H, W) to the same shape."""
        passed, given = x.chunk(2, dim=1)
        y: Tensor = self.shuffle(cat([passed, self.branch(given)], dim=1))
        return y


class DownUnit(nn.Module):
    """All channels go through two branches of stride 2; then a shuffle.

    Source: Ma et al., ECCV 2018, figure 3 (d).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.narrow = convolution(
            in_channels, in_channels, 3, stride=2, groups=in_channels, activation=None
        )
        self.pointwise = convolution(in_channels, out_channels // 2, 1)
        self.branch = Branch(in_channels, out_channels // 2, stride=2)
        self.shuffle = ChannelShuffle(2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/2, W/2)."""
        y: Tensor = self.shuffle(cat([self.pointwise(self.narrow(x)), self.branch(x)], dim=1))
        return y


class ShuffleNetV2(nn.Module):
    """Three stages of units that split, convolve and shuffle their channels.

    Source: Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture
    Design", ECCV 2018, table 5 (1×). For small images, as in the pairs of Tian et al.,
    "Contrastive Representation Distillation", ICLR 2020: the stem is a 1×1 convolution
    that keeps the size.

    Args:
        num_classes: outputs of the linear head.
        in_channels: channels of the images.
        widths: channels of the three stages.
        last: channels of the last convolution.
        stem_kernel: side of the kernel of the stem.

    Examples:
        >>> network = ShuffleNetV2(num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        1355528
    """

    def __init__(
        self,
        *,
        num_classes: int,
        in_channels: int = 3,
        widths: Sequence[int] = WIDTHS,
        last: int = LAST,
        stem_kernel: int = 1,
    ) -> None:
        super().__init__()
        self.stem = convolution(in_channels, STEM, stem_kernel)
        stages, channels = [], STEM
        for wide, units in zip(widths, UNITS, strict=True):
            stages.append(
                nn.Sequential(DownUnit(channels, wide), *(Unit(wide) for _ in range(units - 1)))
            )
            channels = wide
        self.stages = nn.Sequential(*stages)
        self.last = convolution(channels, last, 1)
        self.classifier = nn.Linear(last, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.last(self.stages(self.stem(x)))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits
