"""Residual networks of bottleneck blocks, in the form for small images."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import convolution, he_initialized

EXPANSION = 4
WIDTHS = (64, 128, 256, 512)


class Bottleneck(nn.Module):
    """1×1, 3×3 and 1×1 convolutions with a shortcut, which is a 1×1 convolution at shape changes.

    Source: He et al., CVPR 2016, figure 5 (right); the stride is that of the 3×3 convolution.
    """

    def __init__(self, in_channels: int, width: int, stride: int) -> None:
        super().__init__()
        out_channels = EXPANSION * width
        self.squeeze = convolution(in_channels, width, 1)
        self.spatial = convolution(width, width, 3, stride=stride)
        self.expand = convolution(width, out_channels, 1, activation=None)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and in_channels == out_channels
            else convolution(in_channels, out_channels, 1, stride=stride, activation=None)
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, 4·width, H/stride, W/stride)."""
        y: Tensor = self.relu(self.expand(self.spatial(self.squeeze(x))) + self.shortcut(x))
        return y


class BottleneckResNet(nn.Module):
    """Four stages of bottleneck blocks; depths (3, 4, 6, 3) are ResNet-50.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, table 1.
    For small images the stem is a 3×3 convolution that keeps the size, without pooling.

    Args:
        depths: blocks per stage; each stage after the first halves the resolution.
        num_classes: outputs of the linear head.
        in_channels: channels of the images.

    Examples:
        >>> network = BottleneckResNet((3, 4, 6, 3), num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        23705252
    """

    def __init__(self, depths: Sequence[int], *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        self.stem = convolution(in_channels, WIDTHS[0], 3)
        stages, channels = [], WIDTHS[0]
        for number, (width, depth) in enumerate(zip(WIDTHS, depths, strict=True)):
            stages.append(_stage(channels, width, depth, stride=1 if number == 0 else 2))
            channels = EXPANSION * width
        self.stages = nn.Sequential(*stages)
        self.classifier = nn.Linear(channels, num_classes)
        he_initialized(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.stages(self.stem(x))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


def _stage(in_channels: int, width: int, depth: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        Bottleneck(in_channels, width, stride),
        *(Bottleneck(EXPANSION * width, width, 1) for _ in range(depth - 1)),
    )
