"""The inverted residual block of mobile networks, and its parts."""

from torch import Tensor, nn

from search_spaces._macro_blocks import conv_bn

ACTIVATIONS = {"relu": nn.ReLU, "hardswish": nn.Hardswish}


def convolution(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: str | None = None,
) -> nn.Sequential:
    """Return a convolution with batch normalization and an optional activation.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of the kernel; padding keeps the resolution at stride 1.
        stride: stride of the convolution.
        groups: groups of the convolution.
        activation: a name of `ACTIVATIONS`; `None` for none.
    """
    layers = conv_bn(in_channels, out_channels, kernel, stride, groups=groups)
    if activation is not None:
        layers.append(ACTIVATIONS[activation](inplace=True))
    return nn.Sequential(*layers)


class SqueezeExcitation(nn.Module):
    """Scales channels by factors computed from their means.

    Source: Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, section 3; reduction 4
    and a hard sigmoid as in MobileNetV3.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(4, channels // 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.activation = nn.ReLU(inplace=True)
        self.expand = nn.Conv2d(hidden, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        scale: Tensor = self.gate(self.expand(self.activation(self.reduce(self.pool(x)))))
        return x * scale


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a shortcut if shapes agree.

    Source: Sandler et al., "MobileNetV2", CVPR 2018, table 1 and figure 4. With an expansion
    of 1 there is no expansion layer.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the depthwise convolution.
        kernel: side of the depthwise kernel.
        expansion: ratio of hidden to input channels.
        squeeze: whether squeeze-and-excitation scales the hidden channels.
        activation: a name of `ACTIVATIONS`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        stride: int,
        kernel: int,
        expansion: int,
        squeeze: bool = False,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.expand = (
            convolution(in_channels, hidden, 1, activation=activation)
            if expansion > 1
            else nn.Identity()
        )
        self.depthwise = convolution(
            hidden, hidden, kernel, stride=stride, groups=hidden, activation=activation
        )
        self.squeeze = SqueezeExcitation(hidden) if squeeze else nn.Identity()
        self.project = convolution(hidden, out_channels, 1)
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H/stride, W/stride)."""
        y: Tensor = self.project(self.squeeze(self.depthwise(self.expand(x))))
        return x + y if self.has_shortcut else y
