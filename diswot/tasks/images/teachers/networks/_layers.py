"""Layers that several of these networks share."""

from torch import Tensor, nn

from search_spaces import conv_bn


def convolution(
    in_channels: int,
    out_channels: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Return convolution ("same" padding), batch normalization and activation."""
    layers = conv_bn(in_channels, out_channels, kernel, stride, groups=groups)
    return nn.Sequential(*layers, *([activation()] if activation is not None else []))


class ChannelShuffle(nn.Module):
    """Permutes channels so that the next grouped convolution mixes the groups.

    Source: Zhang et al., "ShuffleNet", CVPR 2018, section 3.1.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        batch, channels, height, width = x.shape
        dealt = x.view(batch, self.groups, channels // self.groups, height, width)
        return dealt.transpose(1, 2).reshape(x.shape)


def he_initialized(network: nn.Module) -> None:
    """Initialize all convolutions by He et al., ICCV 2015, with mode fan-out."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
