"""Mobile networks: inverted residuals for phones and microcontrollers."""

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._inverted_residual import ACTIVATIONS, InvertedResidual, convolution
from search_spaces._signature import Signature

STAGES = (16, 24, 40, 80, 160)
"""Channels of the stages at width 1, after MobileNetV3 (Howard et al., ICCV 2019, table 2)."""

LAST = 4
"""Ratio of channels of the last 1×1 convolution to those of the last stage."""

DIVISOR = 4
"""Numbers of channels are multiples of this."""

SMALLEST_MAP = 4
"""Height and width below which stages do not halve the feature map further."""


class MobileNetwork(nn.Module):
    """A stem, stages of inverted residuals, a 1×1 convolution, pooling and a linear head.

    Args:
        blocks: the blocks of each stage; the first block of a stage may halve the resolution.
        stem: channels of the stem.
        last: input and output channels of the last convolution.
        outputs: outputs of the linear head.
        in_channels: channels of the images.
        stem_stride: stride of the stem: 1 for small images, 2 for photos.
        resolution: side to which images are resized first; `None` for no resizing.
        activation: `relu` or `hardswish`.
    """

    def __init__(
        self,
        blocks: Sequence[Sequence[InvertedResidual]],
        *,
        stem: int,
        last: tuple[int, int],
        outputs: int,
        in_channels: int,
        stem_stride: int,
        resolution: int | None,
        activation: str,
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.stem = convolution(in_channels, stem, 3, stride=stem_stride, activation=activation)
        self.stages = nn.Sequential(*(nn.Sequential(*stage) for stage in blocks))
        self.last = convolution(*last, 1, activation=activation)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last[1], outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to outputs (B, outputs)."""
        if self.resolution is not None:
            side = self.resolution
            x = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True)
        features: Tensor = self.pool(self.last(self.stages(self.stem(x))))
        result: Tensor = self.classifier(features.flatten(1))
        return result


class MobileSpace(ChoiceSpace):
    """Inverted residuals with 20 thousand to 5 million parameters, for 32 to 224 pixels.

    Fields: `resolution` (side to which the network resizes its images), `width` (factor of all
    channels), `squeeze` (squeeze-and-excitation), `activation`, and for each of the five stages
    its depth, kernel and expansion, written `d2k3e4`. For resolutions above 64 pixels, the stem
    has stride 2. Stages halve the feature map as long as it stays at least 4×4.

    Args:
        image_size: side of the images in pixels.
        in_channels: channels of the images.
        resolutions: options of the resolution; by default 1/2, 3/4 and 1 times `image_size`.
        widths: options of the width factor.
        depths: options for the number of blocks of a stage.
        kernels: options for the side of the depthwise kernel.
        expansions: options for the ratio of hidden to input channels of a block.

    Raises:
        ValueError: a resolution is larger than the images or smaller than 8 pixels.

    Examples:
        >>> import numpy as np, torch
        >>> space = MobileSpace(image_size=32)
        >>> arch = space.sample(np.random.default_rng(0))
        >>> space.from_string(space.to_string(arch)) == arch
        True
        >>> space.build(arch, num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """

    def __init__(
        self,
        *,
        image_size: int = 32,
        in_channels: int = 3,
        resolutions: Sequence[int] | None = None,
        widths: Sequence[float] = (0.25, 0.5, 0.75, 1.0, 1.5),
        depths: Sequence[int] = (1, 2, 3),
        kernels: Sequence[int] = (3, 5),
        expansions: Sequence[int] = (2, 4, 6),
    ) -> None:
        sides = _shares(image_size) if resolutions is None else tuple(resolutions)
        if min(*sides, image_size) < 8 or max(sides) > image_size:
            raise ValueError(
                f"Expected resolutions from 8 to {image_size} pixels, the side of the images, "
                f"but got {sides}"
            )
        kinds = [f"d{d}k{k}e{e}" for d in depths for k in kernels for e in expansions]
        super().__init__(
            {
                "resolution": Choice(*sides),
                "width": Choice(*widths),
                "squeeze": Choice(False, True),
                "activation": Choice(*ACTIVATIONS),
                **{f"stage{number}": Choice(*kinds) for number in range(1, len(STAGES) + 1)},
            }
        )
        self.image_size = image_size
        self.in_channels = in_channels

    def build(self, arch: Architecture, num_classes: int) -> nn.Module:
        """Build the network with `num_classes` outputs for images of `image_size`."""
        return self._network(arch, num_classes, self.image_size, self.in_channels)

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network for the images of a signature.

        Raises:
            ValueError: the first input is not an image of known size.
        """
        shape = signature.inputs[0].shape
        if len(shape) != 3 or shape[0] is None or shape[1] is None:
            raise ValueError(f"Expected images of one size, but got {signature.describe()}")
        return self._network(arch, signature.outputs, shape[1], shape[0])

    def _network(
        self, arch: Architecture, outputs: int, image_size: int, in_channels: int
    ) -> nn.Module:
        side = arch.resolution
        stem_stride = 1 if side <= 64 else 2
        stem = _channels(STAGES[0], arch.width)
        widths = (stem, *(_channels(channels, arch.width) for channels in STAGES))
        strides = _strides(side // stem_stride)
        stages = [
            _stage(arch, number, before, width, stride)
            for number, ((before, width), stride) in enumerate(
                zip(pairwise(widths), strides, strict=True), start=1
            )
        ]
        return MobileNetwork(
            stages,
            stem=stem,
            last=(widths[-1], LAST * widths[-1]),
            outputs=outputs,
            in_channels=in_channels,
            stem_stride=stem_stride,
            resolution=None if side == image_size else side,
            activation=arch.activation,
        )


def _stage(
    arch: Architecture, number: int, before: int, width: int, stride: int
) -> list[InvertedResidual]:
    depth, kernel, expansion = _kind(getattr(arch, f"stage{number}"))
    return [
        InvertedResidual(
            before if index == 0 else width,
            width,
            stride=stride if index == 0 else 1,
            kernel=kernel,
            expansion=expansion,
            squeeze=arch.squeeze,
            activation=arch.activation,
        )
        for index in range(depth)
    ]


def _kind(text: str) -> tuple[int, int, int]:
    """Parse depth, kernel and expansion from a text such as `d2k3e4`."""
    depth, rest = text[1:].split("k")
    kernel, expansion = rest.split("e")
    return int(depth), int(kernel), int(expansion)


def _strides(side: int) -> list[int]:
    """Return the stride of each stage: 1 for the first, then 2 while the map is large enough.

    Examples:
        >>> _strides(32), _strides(112)
        ([1, 2, 2, 2, 1], [1, 2, 2, 2, 2])
    """
    strides = [1]
    for _ in STAGES[1:]:
        strides.append(2 if side // 2 >= SMALLEST_MAP else 1)
        side //= strides[-1]
    return strides


def _channels(channels: int, width: float) -> int:
    return max(DIVISOR, DIVISOR * math.floor(channels * width / DIVISOR + 0.5))


def _shares(image_size: int) -> tuple[int, ...]:
    """Return 1/2, 3/4 and 1 times a side, without those below 8 pixels."""
    sides = (image_size // 2, image_size * 3 // 4, image_size)
    return tuple(side for side in sides if side >= 8) or (image_size,)
