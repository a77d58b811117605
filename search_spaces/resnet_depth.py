"""CIFAR residual networks of variable depth (S0 of the DisWOT paper)."""

from collections.abc import Sequence

from torch import Tensor, nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with a shortcut, which is a 1×1 convolution if shapes change."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        y = self.relu(self.bn1(self.conv1(x)))
        z: Tensor = self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))
        return z


class CifarResNet(nn.Module):
    """A residual network for small images: a 3×3 stem, one stage per depth, a linear head.

    Depths (n, n, n) with widths (16, 16, 32, 64) give ResNet-(6n+2) of He et al.,
    "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2, with
    projection shortcuts.

    Args:
        depths: blocks per stage; each stage after the first halves the resolution.
        widths: channels of the stem and of each stage.
        num_classes: outputs of the linear head.
        in_channels: channels of the images.
        stem_stride: stride of the stem; 2 halves the resolution of all stages.

    Examples:
        >>> network = CifarResNet((3, 3, 3), num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        278324
    """

    def __init__(
        self,
        depths: Sequence[int],
        *,
        num_classes: int,
        widths: Sequence[int] = (16, 16, 32, 64),
        in_channels: int = 3,
        stem_stride: int = 1,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, widths[0], 3, stem_stride, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.Sequential(
            *(
                _stage(widths[i], widths[i + 1], depth, stride=1 if i == 0 else 2)
                for i, depth in enumerate(depths)
            )
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(widths[-1], num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features: Tensor = self.pool(self.stages(self.stem(x)))
        logits: Tensor = self.classifier(features.flatten(1))
        return logits


def _stage(in_channels: int, out_channels: int, depth: int, *, stride: int) -> nn.Sequential:
    first = BasicBlock(in_channels, out_channels, stride)
    return nn.Sequential(
        first, *(BasicBlock(out_channels, out_channels, 1) for _ in range(depth - 1))
    )


class ResNetDepthSpace(ChoiceSpace):
    """Residual networks whose stages differ in depth; by default the 64 networks of S0.

    Source: DisWOT (Dong et al., CVPR 2023), section 4.1: the ResNet-20 family with
    1, 3, 5 or 7 blocks per stage. An architecture is written `3-1-5`.

    Args:
        depths: options for the number of blocks of a stage.
        widths: channels of the stem, and of each stage.
        in_channels: channels of the images.

    Raises:
        ValueError: there is no stage, or a depth, width or number of channels is below 1.

    Examples:
        >>> import torch
        >>> space = ResNetDepthSpace()
        >>> space.size
        64
        >>> network = space.build(space.from_string("3-1-5"), num_classes=10)
        >>> network(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        depths: Sequence[int] = (1, 3, 5, 7),
        *,
        widths: Sequence[int] = (16, 16, 32, 64),
        in_channels: int = 3,
    ) -> None:
        if len(widths) < 2 or min(*depths, *widths, in_channels) < 1:
            raise ValueError(
                "Expected depths, two or more widths and in_channels, all of at least 1, "
                f"but got depths={depths}, widths={widths}, in_channels={in_channels}"
            )
        stages = range(1, len(widths))
        super().__init__({f"stage{i}": Choice(*depths) for i in stages})
        self.widths = tuple(widths)
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the residual network with `arch[i]` blocks in stage i."""
        return CifarResNet(
            arch, num_classes=num_classes, widths=self.widths, in_channels=self.in_channels
        )

    def to_string(self, arch: Architecture) -> str:
        """Return the blocks per stage as in `3-1-5`."""
        return "-".join(map(str, arch))

    def from_string(self, text: str) -> Architecture:
        """Parse the blocks per stage as in `3-1-5`."""
        parts = text.strip().split("-")
        if len(parts) != len(self.fields):
            raise ValueError(f"Expected {len(self.fields)} depths like 3-1-5, but got {text!r}")
        return self._parse(dict(zip(self.fields, parts, strict=True)))
