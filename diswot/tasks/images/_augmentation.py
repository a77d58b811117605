"""Data augmentation of batches of images."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from diswot.tasks.images._labeled_images import LabeledImages

LARGE = 96
"""Height from which images are augmented with crops of random size (RandomResizedCrop)."""

SMALLEST_CROP = 0.25
"""Minimum area of a random-size crop, as a share of the image; ImageNet recipes use 0.08."""


def augmentation(data: LabeledImages, level: str) -> nn.Module:
    """Return a module that augments float batches (B, C, H, W) and keeps their value range.

    Random numbers are drawn from torch's global generator.

    Args:
        data: dataset, for image shape, value range and whether flips keep the class.
        level: `none`; `standard`: crops from an image padded by an eighth of its size
            (4 pixels of 32), of large images crops of random size, and flips where a
            mirrored image keeps its class; `strong`: in addition, one change of color or
            shape of a random strength, drawn for every image. Source of the last: Müller
            and Hutter, "TrivialAugment", ICCV 2021.
    """
    # Imported here to keep the start of commands that do not train fast.
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
    # Colors are changed last, on the cropped image.
    if (change := color_changes(data, level)) is not None:
        steps.append(change)
    return nn.Sequential(*steps)


def color_changes(data: LabeledImages, level: str) -> nn.Module | None:
    """Return the TrivialAugment step of `strong` augmentation; `None` for other levels.

    Args:
        data: dataset, for the value range of its images.
        level: level of augmentation, see `augmentation`.
    """
    return _Trivial(data.spec.scale) if level == "strong" else None


@dataclass(frozen=True, eq=False)
class Cut:
    """The crops and flips of an augmented batch.

    Attributes:
        boxes: top, left, bottom and right edges, shape (B, 4), as shares of height and width;
            outside of [0, 1] where the image was padded with black.
        mirrored: whether each image was flipped horizontally, shape (B,).
    """

    boxes: Tensor
    mirrored: Tensor


def cut_of(steps: nn.Module) -> Cut | None:
    """Return the crops and flips of an augmentation's last call; `None` without crops."""
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
    """Convert a kornia crop's corners, shape (B, 4, 2) as inclusive (x, y), to boxes (B, 4)."""
    corners, sides = drawn["src"].cpu(), drawn["input_size"].cpu().float()
    if "padding_size" in drawn:  # left, right, top, bottom
        left, right, top, bottom = drawn["padding_size"].cpu().float().unbind(1)
        corners = corners - torch.stack([left, top], dim=1)[:, None]
        sides = sides - torch.stack([top + bottom, left + right], dim=1)
    first, last = corners[:, 0].flip(1), corners[:, 2].flip(1) + 1
    return torch.cat([first / sides, last / sides], dim=1)


class _Trivial(nn.Module):
    """TrivialAugment for images with pixel values from 0 to `scale`.

    Kornia draws one transformation per batch, but the paper one per image: so images that drew
    the same transformation are transformed together.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        from kornia.augmentation.auto import TrivialAugment

        self._scale = scale
        self._changes = nn.ModuleList(TrivialAugment())

    def forward(self, images: Tensor) -> Tensor:
        images = (images / self._scale).clamp(0, 1)
        # One transformation per image; images are grouped by transformation for speed.
        drawn = torch.randint(len(self._changes), (len(images),))
        changed = torch.empty_like(images)
        for number, change in enumerate(self._changes):
            indices = (drawn == number).nonzero().squeeze(1)
            if len(indices):
                changed[indices] = change(images[indices])
        return changed * self._scale
