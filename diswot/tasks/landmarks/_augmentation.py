"""Data augmentation of batches of images and their points."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

SHIFT = 1 / 16
"""Maximum translation as a share of the side, at strength 1."""

SCALING = 1.1
"""Maximum factor of scaling, at strength 1."""

TURN = math.radians(15)
"""Maximum angle of rotation in radians, for strengths above 1."""


@dataclass(frozen=True)
class Augmentation:
    """Translates, scales, rotates and flips images (B, C, H, W) with their coordinates (B, 2K).

    Random numbers are drawn per image from torch's global CPU generator.

    Attributes:
        mirror: for each point, the index of its counterpart in a flipped image, K numbers;
            `None`: images are not flipped.
        rows: whether points are bound to rows of the image, so that images are translated and
            scaled horizontally only.
        strength: factor of translation and scaling; above 1 images are also rotated.

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
        """Return augmented images and coordinates, of the same shapes.

        Args:
            images: images (B, C, H, W).
            coordinates: normalized coordinates (B, 2K), in [−0.5, 0.5].
        """
        matrices, shifts, mirrored = (
            tensor.to(images.device) for tensor in self._drawn(len(images), images)
        )
        # affine_grid maps output pixels to input pixels: the inverse of the points' map
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
        """Draw matrices (B, 2, 2), translations (B, 2), and a mask of flips (B,)."""
        height, width = images.shape[2:]
        both = torch.tensor([1.0, 0.0 if self.rows else 1.0])
        factors = SCALING ** (self.strength * _uniform(count, 1) * both)
        shifts = self.strength * SHIFT * _uniform(count, 2) * both
        turned = self.strength > 1 and not self.rows
        angles = TURN * _uniform(count) if turned else torch.zeros(count)
        mirrored = torch.rand(count) < (0.0 if self.mirror is None else 0.5)
        factors = factors * torch.stack([1 - 2.0 * mirrored, torch.ones(count)], dim=1)
        cos, sin = angles.cos(), angles.sin()
        # Coordinates are normalized per axis, so a rotation depends on the aspect ratio.
        ratio = height / width
        turns = torch.stack(
            [torch.stack([cos, -sin * ratio], 1), torch.stack([sin / ratio, cos], 1)], dim=1
        )
        return turns * factors[:, None], shifts, mirrored


def _uniform(*shape: int) -> Tensor:
    return 2 * torch.rand(shape) - 1
