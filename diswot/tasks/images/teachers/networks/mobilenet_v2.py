"""MobileNetV2, in the form for small images."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import convolution, he_initialized

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 1),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and stride of each stage; the second has stride 1 here."""
LAST = 1280


class InvertedResidual(nn.Module):
    """Expansion, depthwise 3×3 convolution, linear projection; a shortcut where shapes allow.

    Source: Sandler et al., "MobileNetV2", CVPR 2018, table 1 and figure 4.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expansion: int,
        stride: int,
        *,
        expands: bool = True,
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand: nn.Module = nn.Identity()
        if expands:
            self.expand = convolution(in_channels, hidden, 1, activation=nn.ReLU6)
        self.depthwise = convolution(
            hidden, hidden, 3, stride=stride, groups=hidden, activation=nn.ReLU6
        )
        self.project = convolution(hidden, out_channels, 1, activation=None)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.has_shortcut else y


class MobileNetV2(nn.Module):
    """Seven stages of inverted residuals.

    Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR
    2018, table 2. For small images, as in the pairs of Tian et al., "Contrastive
    Representation Distillation", ICLR 2020: the second stage keeps the size, the first
    stage has an expansion layer too, and there is no dropout.

    Args:
        num_classes: outputs of the linear head.
        in_channels: channels of the images.
        width: factor of all channels of the paper except the last 1280.
        as_published: the form of the checkpoints of chenyaofo/pytorch-cifar-models: the stem
            keeps the size, the first stage has no expansion layer, channels are multiples of 8,
            and there is dropout before the linear head.

    Examples:
        >>> network = MobileNetV2(num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        812836
    """

    def __init__(
        self,
        *,
        num_classes: int,
        in_channels: int = 3,
        width: float = 0.5,
        as_published: bool = False,
    ) -> None:
        super().__init__()
        scaled = partial(_multiple, width=width) if as_published else partial(_scaled, width=width)
        channels, stride = scaled(32), 1 if as_published else 2
        self.stem = convolution(in_channels, channels, 3, stride=stride, activation=nn.ReLU6)
        stages = []
        for number, (expansion, full, blocks, stride) in enumerate(STAGES):
            expands = number > 0 or not as_published
            wide = scaled(full)
            stages.append(_stage(channels, wide, blocks, expansion, stride, expands=expands))
            channels = wide
        self.stages = nn.Sequential(*stages)
        last = _multiple(LAST, width=max(1.0, width)) if as_published else LAST
        self.last = convolution(channels, last, 1, activation=nn.ReLU6)
        self.classifier: nn.Module = nn.Linear(last, num_classes)
        if as_published:
            self.classifier = nn.Sequential(nn.Dropout(0.2), self.classifier)
        he_initialized(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.last(self.stages(self.stem(x)))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


def _scaled(channels: int, *, width: float) -> int:
    return int(channels * width)


def _multiple(channels: int, *, width: float) -> int:
    """Return the multiple of 8 nearest to channels × width, at least nine tenths of it."""
    wanted = channels * width
    result = max(8, int(wanted + 4) // 8 * 8)
    return result if result >= 0.9 * wanted else result + 8


def _stage(
    in_channels: int,
    out_channels: int,
    blocks: int,
    expansion: int,
    stride: int,
    *,
    expands: bool,
) -> nn.Sequential:
    return nn.Sequential(
        InvertedResidual(in_channels, out_channels, expansion, stride, expands=expands),
        *(InvertedResidual(out_channels, out_channels, expansion, 1) for _ in range(blocks - 1)),
    )
