"""ShuffleNet, in the form for small images."""

from torch import Tensor, cat, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import ChannelShuffle, convolution

GROUPS = 3
STEM = 24
STAGES = ((240, 4), (480, 8), (960, 4))
"""Channels and units of each stage, of three groups."""


class ShuffleUnit(nn.Module):
    """Grouped 1×1, channel shuffle, depthwise 3×3, grouped 1×1, with a shortcut.

    With stride 2 the shortcut is the averaged input, and its channels are concatenated with those
    of the convolutions. Source: Zhang et al., CVPR 2018, figure 2 (b) and (c).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        made = out_channels if stride == 1 else out_channels - in_channels
        hidden = made // 4
        groups = 1 if in_channels == STEM else GROUPS  # too few channels to divide
        self.squeeze = convolution(in_channels, hidden, 1, groups=groups)
        self.shuffle = ChannelShuffle(groups)
        self.depthwise = convolution(hidden, hidden, 3, stride=stride, groups=hidden)
        self.expand = convolution(hidden, made, 1, groups=GROUPS, activation=None)
        self.pool = nn.AvgPool2d(3, stride, padding=1) if stride > 1 else None
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        made = self.expand(self.depthwise(self.shuffle(self.squeeze(x))))
        joined = x + made if self.pool is None else cat([made, self.pool(x)], dim=1)
        y: Tensor = self.relu(joined)
        return y


class ShuffleNetV1(nn.Module):
    """Three stages of shuffle units, with three groups.

    Source: Zhang et al., "ShuffleNet: An Extremely Efficient Convolutional Neural Network
    for Mobile Devices", CVPR 2018, table 1 (1×, g = 3). For small images, as in the pairs
    of Tian et al., "Contrastive Representation Distillation", ICLR 2020: the stem is a
    1×1 convolution that keeps the size, a rectifier follows the depthwise convolution
    too, and a unit's depthwise convolution has a quarter of the channels that its
    convolutions output, not of those of the unit.

    Args:
        num_classes: outputs of the linear head.
        in_channels: channels of the images.

    Examples:
        >>> network = ShuffleNetV1(num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        949258
    """

    def __init__(self, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = convolution(in_channels, STEM, 1)
        stages, channels = [], STEM
        for wide, units in STAGES:
            stages.append(_stage(channels, wide, units))
            channels = wide
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.stages(self.stem(x))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


def _stage(in_channels: int, out_channels: int, units: int) -> nn.Sequential:
    return nn.Sequential(
        ShuffleUnit(in_channels, out_channels, stride=2),
        *(ShuffleUnit(out_channels, out_channels, stride=1) for _ in range(units - 1)),
    )
