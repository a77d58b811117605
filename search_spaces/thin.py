"""Thin residual networks for microcontrollers."""

from torch import Tensor, nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._inverted_residual import convolution


class FusedResidual(nn.Module):
    """An expanding convolution and a 1×1 projection, with a shortcut if shapes agree.

    Source: Tan and Le, "EfficientNetV2", ICML 2021, figure 2 (Fused-MBConv, without
    squeeze-and-excitation).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: stride of the first convolution.
        kernel: side of the first convolution.
        expansion: ratio of hidden to input channels.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, stride: int, kernel: int, expansion: int
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand = convolution(in_channels, hidden, kernel, stride=stride, activation="relu")
        self.project = convolution(hidden, out_channels, 1)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        y: Tensor = self.project(self.expand(x))
        return x + y if self.has_shortcut else y


class ThinSpace(ChoiceSpace):
    """Networks with about 1 to 20 thousand parameters, for small images on microcontrollers.

    Fields: `stem` (kernel of the first convolution, of stride 2), `expansion` (ratio of hidden to
    input channels of a block), and `width` (channels), `depth` (blocks) and `kernel` of two
    stages, the second at half the resolution. With the same number of parameters, a network can
    be wide early or late, deep, or have a large receptive field. An architecture is written
    `stem=3,expansion=2,width1=8,depth1=1,kernel1=3,width2=16,depth2=2,kernel2=3`.

    Args:
        in_channels: channels of the images.

    Raises:
        ValueError: `in_channels` is below 1.

    Examples:
        >>> space = ThinSpace(in_channels=1)
        >>> space.size
        11664
        >>> arch = space.from_string(
        ...     "stem=3,expansion=2,width1=8,depth1=1,kernel1=3,width2=16,depth2=2,kernel2=3")
        >>> sum(p.numel() for p in space.build(arch, num_classes=10).parameters())
        8274
    """

    stem = Choice(3, 5, 7)
    expansion = Choice(1, 2, 3)
    width1 = Choice(2, 4, 8, 12)
    depth1 = Choice(1, 2, 3)
    kernel1 = Choice(1, 3, 5)
    width2 = Choice(4, 8, 16, 24)
    depth2 = Choice(1, 2, 3)
    kernel2 = Choice(1, 3, 5)

    def __init__(self, *, in_channels: int = 3) -> None:
        if in_channels < 1:
            raise ValueError(f"Expected in_channels of at least 1, but got {in_channels}")
        super().__init__()
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the stem, both stages and the linear head."""
        first, second = arch.width1, arch.width2
        return nn.Sequential(
            convolution(self.in_channels, first, arch.stem, stride=2, activation="relu"),
            *_stage(arch, (first, first), depth=arch.depth1, kernel=arch.kernel1, stride=1),
            *_stage(arch, (first, second), depth=arch.depth2, kernel=arch.kernel2, stride=2),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(second, num_classes),
        )


def _stage(
    arch: Architecture, channels: tuple[int, int], *, depth: int, kernel: int, stride: int
) -> list[FusedResidual]:
    before, width = channels
    return [
        FusedResidual(
            before if index == 0 else width,
            width,
            stride=stride if index == 0 else 1,
            kernel=kernel,
            expansion=arch.expansion,
        )
        for index in range(depth)
    ]
