"""Random changes of images that leave their class, on batches of tensors."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from diswot.tasks.images._image_data import ImageData

LARGE = 96
"""Height from which images are cropped at random sizes, as photographs are."""

SMALLEST_CROP = 0.25
"""Share of a large image that is left at least; recipes of hundreds of epochs take 0.08."""


def augmentation(data: "ImageData", level: str) -> nn.Module:
    """Return the augmentation of uint8 or float batches (B, C, H, W) made floats of the same scale.

    Drawn from torch's global generator.

    Args:
        data: whose images are augmented.
        level: `none`; `standard`: crops from an image padded by an eighth of its size
            (4 pixels of 32), of large images crops of random size, and flips where a
            mirrored image keeps its class; `strong`: besides, one change of colour or
            shape of a random strength, drawn for every image. Source of the last: Müller
            and Hutter, "TrivialAugment", ICCV 2021.
    """
    # imported here: commands that train nothing need not wait for it
    from kornia.augmentation import RandomCrop, RandomHorizontalFlip, RandomResizedCrop

    _, height, width = data.shape
    steps: list[nn.Module] = []
    if level != "none":
        steps.append(
            RandomResizedCrop((height, width), scale=(SMALLEST_CROP, 1.0))
            if height >= LARGE
            else RandomCrop((height, width), padding=max(1, height // 8))
        )
    if level != "none" and data.flips:
        steps.append(RandomHorizontalFlip())
    if level == "strong":
        steps.append(_Trivial(data.spec.scale))
    return nn.Sequential(*steps)


class _Trivial(nn.Module):
    """TrivialAugment on images whose pixels go from 0 to `scale`.

    The library draws one change for a whole batch, the paper one for each image: so the
    images that drew the same change are put through it together.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        from kornia.augmentation.auto import TrivialAugment

        self._scale = scale
        self._changes = nn.ModuleList(TrivialAugment())

    def forward(self, images: Tensor) -> Tensor:
        images = (images / self._scale).clamp(0, 1)
        drawn = torch.randint(len(self._changes), (len(images),))
        changed = torch.empty_like(images)
        for number, change in enumerate(self._changes):
            places = (drawn == number).nonzero().squeeze(1)
            if len(places):
                changed[places] = change(images[places])
        return changed * self._scale
