"""What all of these networks begin and are joined with."""

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
    """Return a convolution that keeps the size (at stride 1), normalized, and its activation."""
    layers = conv_bn(in_channels, out_channels, kernel, stride, groups=groups)
    return nn.Sequential(*layers, *([activation()] if activation is not None else []))


class ChannelShuffle(nn.Module):
    """Deals channels out to groups in turn, so that the next grouped convolution mixes them.

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
    """Draw the weights of all convolutions by He et al., ICCV 2015, over the fan-out."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
