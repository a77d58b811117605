"""Random changes of images that their points follow, on batches of tensors."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 1 / 16
"""Share of a side that images are moved by at most, at strength 1."""

SCALING = 1.1
"""Factor that images are enlarged or shrunk by at most, at strength 1."""

TURN = math.radians(15)
"""Angle that images are turned by at most, above strength 1."""


@dataclass(frozen=True)
class Augmentation:
    """Moves, scales and mirrors images (B, C, H, W) with their coordinates (B, 2K).

    Drawn for each image from torch's global generator of the CPU.

    Attributes:
        mirror: which point each point is in a mirrored image; `None`: images are not mirrored.
        rows: whether points belong to rows of the image, so that images are moved and scaled
            along rows alone.
        strength: how many times as far images are moved and scaled; above 1 they are turned.

    Examples:
        >>> augment = Augmentation(mirror=(1, 0), strength=0)
        >>> images = torch.arange(4.0).view(1, 1, 1, 4)
        >>> with torch.random.fork_rng():
        ...     _ = torch.manual_seed(0)
        ...     mirrored, points = augment(images, torch.tensor([[-0.25, 0.0, 0.5, 0.0]]))
        >>> mirrored.flatten().tolist(), points.tolist()
        ([3.0, 2.0, 1.0, 0.0], [[-0.5, 0.0, 0.25, 0.0]])
    """

    mirror: tuple[int, ...] | None = None
    rows: bool = False
    strength: float = 1

    def __call__(self, images: Tensor, coordinates: Tensor) -> tuple[Tensor, Tensor]:
        """Return the images and coordinates, changed.

        Args:
            images: (B, C, H, W).
            coordinates: (B, 2K), normalized to the image.
        """
        matrices, shifts, mirrored = (
            tensor.to(images.device) for tensor in self._drawn(len(images), images)
        )
        # affine_grid says from where each pixel is taken, so points go the other way
        backward = torch.linalg.inv(matrices)
        theta = torch.cat([backward, -backward @ (2 * shifts)[..., None]], dim=2)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        changed = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
        points = coordinates.view(len(coordinates), -1, 2) @ matrices.mT + shifts[:, None]
        if self.mirror is not None:
            swapped = points[:, list(self.mirror)]
            points = torch.where(mirrored[:, None, None], swapped, points)
        return changed, points.flatten(1)

    def _drawn(self, count: int, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Draw what points are multiplied by (B, 2, 2), moved by (B, 2), and who is mirrored."""
        height, width = images.shape[2:]
        both = torch.tensor([1.0, 0.0 if self.rows else 1.0])
        factors = SCALING ** (self.strength * _uniform(count, 1) * both)
        shifts = self.strength * SHIFT * _uniform(count, 2) * both
        turned = self.strength > 1 and not self.rows
        angles = TURN * _uniform(count) if turned else torch.zeros(count)
        mirrored = torch.rand(count) < (0.0 if self.mirror is None else 0.5)
        factors = factors * torch.stack([1 - 2.0 * mirrored, torch.ones(count)], dim=1)
        cos, sin = angles.cos(), angles.sin()
        ratio = height / width
        turns = torch.stack(
            [torch.stack([cos, -sin * ratio], 1), torch.stack([sin / ratio, cos], 1)], dim=1
        )
        return turns * factors[:, None], shifts, mirrored


def _uniform(*shape: int) -> Tensor:
    return 2 * torch.rand(shape) - 1
