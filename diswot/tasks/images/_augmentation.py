"""Random changes of images that leave their class, on batches of tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diswot.tasks.images._labeled_images import LabeledImages

LARGE = 96
"""Height from which images are cropped at random sizes, as photographs are."""

SMALLEST_CROP = 0.25
"""Share of a large image that is left at least; recipes of hundreds of epochs take 0.08."""


def augmentation(data: LabeledImages, level: str) -> nn.Module:
    """Return the augmentation of uint8 or float batches (B, C, H, W) made floats of the same scale.

    Drawn from torch's global generator.

    Args:
        data: whose images are augmented.
        level: `none`; `standard`: crops from an image padded by an eighth of its size
            (4 pixels of 32), of large images crops of random size, and flips where a
            mirrored image keeps its class; `strong`: in addition, one change of color or
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
    if (change := color_changes(data, level)) is not None:
        steps.append(change)
    return nn.Sequential(*steps)


def color_changes(data: LabeledImages, level: str) -> nn.Module | None:
    """Return the last step of `strong` augmentation; `None` of others.

    Args:
        data: whose images are augmented.
        level: see `augmentation`.
    """
    return _Trivial(data.spec.scale) if level == "strong" else None


@dataclass(frozen=True, eq=False)
class Cut:
    """Where the images of a batch were cut out, and which of them were mirrored then.

    Attributes:
        boxes: (B, 4) top, left, bottom and right edge, as shares of height and width; beyond
            0 and 1 where the image was padded with black.
        mirrored: (B,) whether left and right were exchanged.
    """

    boxes: Tensor
    mirrored: Tensor


def cut_of(steps: nn.Module) -> Cut | None:
    """Return what the last call of an augmentation drew; `None` where it cuts nothing."""
    from kornia.augmentation import RandomCrop, RandomHorizontalFlip, RandomResizedCrop

    boxes, mirrored = None, None
    for step in steps.children():
        if isinstance(step, RandomCrop | RandomResizedCrop):
            boxes = _boxes(step._params)
        elif isinstance(step, RandomHorizontalFlip):
            mirrored = step._params["batch_prob"].cpu() > 0.5
    if boxes is None:
        return None
    return Cut(boxes, torch.zeros(len(boxes), dtype=torch.bool) if mirrored is None else mirrored)


def _boxes(drawn: dict[str, Tensor]) -> Tensor:
    """Return boxes (B, 4) of what a crop drew: corners (B, 4, 2) as x and y, edges included."""
    corners, sides = drawn["src"].cpu(), drawn["input_size"].cpu().float()
    if "padding_size" in drawn:  # left, right, top, bottom
        left, right, top, bottom = drawn["padding_size"].cpu().float().unbind(1)
        corners = corners - torch.stack([left, top], dim=1)[:, None]
        sides = sides - torch.stack([top + bottom, left + right], dim=1)
    first, last = corners[:, 0].flip(1), corners[:, 2].flip(1) + 1
    return torch.cat([first / sides, last / sides], dim=1)


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
