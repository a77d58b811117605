"""Targets of a batch, and images mixed in pairs."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional as F

from diswot.tasks._dataset import Changes


@dataclass(frozen=True, eq=False)
class Mixed:
    """Images of a batch with what they are to be taken for.

    Attributes:
        images: (B, C, H, W).
        targets: (B, N) probabilities of the classes.
        labels: (B,) class of the larger part of each image.
    """

    images: Tensor
    targets: Tensor
    labels: Tensor


def smoothed(labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """Return targets (B, N): the label, with a share of it spread over all classes.

    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.

    Examples:
        >>> smoothed(torch.tensor([1]), 4, 0.2)
        tensor([[0.0500, 0.8500, 0.0500, 0.0500]])
    """
    return F.one_hot(labels, num_classes) * (1 - smoothing) + smoothing / num_classes


def mixed(images: Tensor, labels: Tensor, num_classes: int, recipe: Changes) -> Mixed:
    """Return the batch as the recipe wants it, drawn from torch's global generator.

    Every image is mixed with one of the same batch, all in the same proportion.
    """
    targets = smoothed(labels, num_classes, recipe.label_smoothing)
    if not (recipe.mixup or recipe.cutmix):
        return Mixed(images, targets, labels)
    cut = recipe.cutmix > 0 and (recipe.mixup == 0 or bool(torch.rand(()) < 0.5))
    alpha = recipe.cutmix if cut else recipe.mixup
    own = float(Beta(alpha, alpha).sample())
    other = torch.randperm(len(images)).to(images.device)
    images, own = cutmix(images, other, own) if cut else (mixup(images, other, own), own)
    return Mixed(
        images,
        own * targets + (1 - own) * targets[other],
        labels if own >= 0.5 else labels[other],
    )


def mixup(images: Tensor, other: Tensor, own: float) -> Tensor:
    """Return `own` of every image (B, C, H, W) plus the rest of its partner at `other` (B,).

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2.
    """
    return own * images + (1 - own) * images[other]


def cutmix(images: Tensor, other: Tensor, own: float) -> tuple[Tensor, float]:
    """Put a box of its partner into every image, and return how much of its own is left.

    The box has a share 1 − `own` of the image before it is cut off at the edges, and its
    middle anywhere. Source: Yun et al., "CutMix", ICCV 2019, section 3.1.

    Args:
        images: (B, C, H, W).
        other: (B,) places of the partners.
        own: share of the image that is to be left.
    """
    height, width = images.shape[2:]
    top, bottom = _edges(height, own)
    left, right = _edges(width, own)
    images = images.clone()
    images[:, :, top:bottom, left:right] = images[other][:, :, top:bottom, left:right]
    return images, 1 - (bottom - top) * (right - left) / (height * width)


def _edges(side: int, own: float) -> tuple[int, int]:
    half = side * (1 - own) ** 0.5 / 2
    middle = float(torch.rand(())) * side
    return round(max(0.0, middle - half)), round(min(side, middle + half))
