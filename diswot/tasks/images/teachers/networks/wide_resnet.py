"""Wide residual networks."""

from torch import Tensor, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import he_initialized


class PreActivationBlock(nn.Module):
    """Two 3×3 convolutions, each after normalization and rectifier, with a shortcut.

    Where the shape changes, the shortcut is a 1×1 convolution of the rectified input.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.shortcut = (
            None
            if in_channels == out_channels and stride == 1
            else nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        rectified = self.relu1(self.bn1(x))
        y: Tensor = self.conv2(self.relu2(self.bn2(self.conv1(rectified))))
        return y + (x if self.shortcut is None else self.shortcut(rectified))


class WideResNet(nn.Module):
    """WRN-depth-width: three stages of (depth − 4) / 6 blocks, 16, 32 and 64 × width channels.

    Source: Zagoruyko & Komodakis, "Wide Residual Networks", BMVC 2016, table 1, without
    dropout.

    Args:
        depth: convolutional layers, 4 more than a multiple of 6.
        width: factor of the channels of ResNet.
        num_classes: outputs of the linear head.
        in_channels: channels of the images.

    Raises:
        ValueError: there is no network of that depth or width.

    Examples:
        >>> network = WideResNet(16, 2, num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        703284
    """

    def __init__(self, depth: int, width: int, *, num_classes: int, in_channels: int = 3) -> None:
        super().__init__()
        blocks, left_over = divmod(depth - 4, 6)
        if left_over or blocks < 1 or width < 1:
            raise ValueError(
                f"Expected a depth of 6n + 4 and a width of at least 1, but got {depth} and {width}"
            )
        widths = (16, 16 * width, 32 * width, 64 * width)
        self.stem = nn.Conv2d(in_channels, widths[0], 3, padding=1, bias=False)
        self.stages = nn.Sequential(
            *(_stage(widths[i], widths[i + 1], blocks, stride=1 if i == 0 else 2) for i in range(3))
        )
        self.bn = nn.BatchNorm2d(widths[-1])
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(widths[-1], num_classes)
        he_initialized(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.relu(self.bn(self.stages(self.stem(x))))
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


def _stage(in_channels: int, out_channels: int, blocks: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        PreActivationBlock(in_channels, out_channels, stride),
        *(PreActivationBlock(out_channels, out_channels, 1) for _ in range(blocks - 1)),
    )
