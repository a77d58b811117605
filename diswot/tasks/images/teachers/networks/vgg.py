"""VGG networks with batch normalization, in the form for small images."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from diswot.tasks.images.teachers.networks._layers import he_initialized


class Stage(nn.Module):
    """3×3 convolutions of one width, each with normalization and rectifier."""

    def __init__(self, in_channels: int, out_channels: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(depth):
            given = in_channels if number == 0 else out_channels
            layers += [
                nn.Conv2d(given, out_channels, 3, padding=1),
                nn.BatchNorm2d(out_channels),
                nn.ReLU(),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, H, W)."""
        y: Tensor = self.layers(x)
        return y


class VGG(nn.Module):
    """Five stages of 3×3 convolutions with pooling between them, and one linear layer.

    Source: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015, table 1 (configuration B is VGG-13), with batch
    normalization. For small images, as in the pairs of Tian et al., "Contrastive
    Representation Distillation", ICLR 2020: the last maps are averaged instead of
    going through three linear layers, and there is no pooling before the fifth stage.

    Args:
        depths: convolutions of each of the five stages.
        num_classes: outputs of the linear head.
        in_channels: channels of the images.
        pools: number of stages that a pooling follows, from the first.
        hidden: widths of further linear layers before the last.

    Examples:
        >>> network = VGG((2, 2, 2, 2, 2), num_classes=100)
        >>> sum(p.numel() for p in network.parameters())
        9462180
    """

    def __init__(
        self,
        depths: Sequence[int],
        *,
        num_classes: int,
        in_channels: int = 3,
        pools: int = 3,
        hidden: Sequence[int] = (),
    ) -> None:
        super().__init__()
        widths = (in_channels, 64, 128, 256, 512, 512)
        stages = [Stage(widths[i], widths[i + 1], depth) for i, depth in enumerate(depths)]
        # Later poolings round up, so that images smaller than 32 pixels pass too.
        pooled = ((s, nn.MaxPool2d(2, ceil_mode=i > 2)) for i, s in enumerate(stages[:pools]))
        self.stages = nn.Sequential(*(layer for pair in pooled for layer in pair), *stages[pools:])
        self.classifier = _head((widths[-1], *hidden), num_classes)
        he_initialized(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, in_channels, H, W) to logits (B, num_classes)."""
        features = self.stages(x)
        logits: Tensor = self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))
        return logits


def _head(widths: Sequence[int], num_classes: int) -> nn.Module:
    """Return a linear layer, after others with rectifier and dropout for all but one width."""
    last = nn.Linear(widths[-1], num_classes)
    hidden = [(nn.Linear(m, n), nn.ReLU(), nn.Dropout()) for m, n in pairwise(widths)]
    return nn.Sequential(*(layer for part in hidden for layer in part), last) if hidden else last
