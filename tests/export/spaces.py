"""Spaces whose students can be trained but not exported in every form."""

from typing import Any

import torch
from torch import Tensor, nn

from search_spaces import Choice, ChoiceSpace


class _Student(nn.Module):
    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, width, 3), nn.Linear(width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.conv(images).relu().mean((2, 3)))
        return logits


class _OneByOne(_Student):
    def forward(self, images: Tensor) -> Tensor:
        return torch.cat([super(_OneByOne, self).forward(image[None]) for image in images])


class _Exponential(_Student):
    def forward(self, images: Tensor) -> Tensor:
        squares = torch.diag_embed(super().forward(images))
        logits: Tensor = torch.linalg.matrix_exp(squares).diagonal(0, 1, 2)
        return logits


class NoForm(ChoiceSpace):
    """The forward pass loops over the images in Python."""

    width = Choice(4, 8)

    def build(self, arch: Any, num_classes: int) -> nn.Module:
        return _OneByOne(arch.width, num_classes)


class NoOnnx(ChoiceSpace):
    """ONNX has no matrix exponential."""

    width = Choice(4, 8)

    def build(self, arch: Any, num_classes: int) -> nn.Module:
        return _Exponential(arch.width, num_classes)
