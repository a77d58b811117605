"""Built-in networks: those of the CIFAR-100 tables in distillation papers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from torch import nn

from diswot.networks.meta import build_on_meta
from diswot.tasks.images.teachers.networks import (
    VGG,
    BottleneckResNet,
    MobileNetV2,
    ShuffleNetV1,
    ShuffleNetV2,
    WideResNet,
)
from diswot.teachers import BuiltIn
from search_spaces import CifarResNet

_WIDE = (32, 64, 128, 256)


@dataclass(frozen=True)
class ImageNetwork(BuiltIn):
    """A built-in network for images with any number of channels.

    Attributes:
        summary: short description.
        make: function (num_classes, in_channels) → randomly initialized network.
    """

    def build(self, *, num_classes: int, in_channels: int = 3) -> nn.Module:
        """Return the network, initialized from torch's global generator.

        Examples:
            >>> network = TEACHERS["vgg8"].build(num_classes=10, in_channels=1)
            >>> network.classifier
            Linear(in_features=512, out_features=10, bias=True)
        """
        return self.make(num_classes=num_classes, in_channels=in_channels)

    @property
    def params(self) -> int:
        """Number of parameters for RGB images and 100 classes."""
        network = build_on_meta(partial(self.build, num_classes=100))
        return sum(parameter.numel() for parameter in network.parameters())

    def described(self) -> str:
        """Return a one-line description."""
        return f"{self.summary}; {self.params / 1e6:.2f}M parameters for 100 classes"


def _residual(blocks: int, widths: tuple[int, ...] = (16, 16, 32, 64)) -> ImageNetwork:
    times = "" if widths[0] == 16 else ", four times as wide"
    plural = "block" if blocks == 1 else "blocks"
    return ImageNetwork(
        f"CIFAR residual network, {blocks} {plural} in each of 3 stages{times}",
        partial(CifarResNet, (blocks,) * 3, widths=widths),
    )


def _wide(depth: int, width: int) -> ImageNetwork:
    return ImageNetwork(
        f"wide residual network of {depth} layers, {width}× the channels",
        partial(WideResNet, depth, width),
    )


def _vgg(convolutions: int) -> ImageNetwork:
    return ImageNetwork(
        f"VGG with batch normalization, {convolutions} convolutions",
        partial(VGG, (convolutions // 5,) * 5),
    )


_PUBLIC = "with public CIFAR checkpoints (chenyaofo/pytorch-cifar-models)"
_VGG_DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
_SHUFFLE_WIDTHS = {
    0.5: (48, 96, 192),
    1.0: (116, 232, 464),
    1.5: (176, 352, 704),
    2.0: (244, 488, 976),
}


def _published() -> dict[str, ImageNetwork]:
    """Return the networks of chenyaofo/pytorch-cifar-models, under their names there."""
    vggs = {
        f"vgg{layers}_bn": ImageNetwork(
            f"VGG-{layers} {_PUBLIC}", partial(VGG, depths, pools=5, hidden=(512, 512))
        )
        for layers, depths in _VGG_DEPTHS.items()
    }
    mobile = {
        f"mobilenetv2_x{_decimal(width)}": ImageNetwork(
            f"MobileNetV2 {width}× {_PUBLIC}",
            partial(MobileNetV2, width=width, as_published=True),
        )
        for width in (0.5, 0.75, 1.0, 1.4)
    }
    shuffle = {
        f"shufflenetv2_x{_decimal(size)}": ImageNetwork(
            f"ShuffleNet V2 {size}× {_PUBLIC}",
            partial(ShuffleNetV2, widths=widths, last=1024 if size < 2 else 2048, stem_kernel=3),
        )
        for size, widths in _SHUFFLE_WIDTHS.items()
    }
    return vggs | mobile | shuffle


def _decimal(number: float) -> str:
    return str(number).replace(".", "_")


TEACHERS: Mapping[str, ImageNetwork] = MappingProxyType(
    {
        **{f"resnet{6 * blocks + 2}": _residual(blocks) for blocks in (3, 5, 7, 9, 18)},
        "resnet8x4": _residual(1, _WIDE),
        "resnet32x4": _residual(5, _WIDE),
        "resnet18": ImageNetwork(
            "residual network of 4 wide stages, for small images",
            partial(CifarResNet, (2, 2, 2, 2), widths=(64, 64, 128, 256, 512)),
        ),
        "resnet50": ImageNetwork(
            "residual network of bottleneck blocks, for small images",
            partial(BottleneckResNet, (3, 4, 6, 3)),
        ),
        "wrn-16-2": _wide(16, 2),
        "wrn-40-1": _wide(40, 1),
        "wrn-40-2": _wide(40, 2),
        "vgg8": _vgg(5),
        "vgg13": _vgg(10),
        "mobilenet-v2": ImageNetwork("MobileNetV2 of half width, for small images", MobileNetV2),
        "shufflenet-v1": ImageNetwork("ShuffleNet of 3 groups, for small images", ShuffleNetV1),
        "shufflenet-v2": ImageNetwork("ShuffleNet V2 1×, for small images", ShuffleNetV2),
        **_published(),
    }
)
"""Name → built-in network, for teachers and students."""
