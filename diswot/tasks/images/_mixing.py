"""Label smoothing, mixup and CutMix."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional as F

from diswot.tasks._examples import Changes


@dataclass(frozen=True, eq=False)
class Mixing:
    """Parameters of mixup or CutMix for a batch.

    Sources: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2;
    Yun et al., "CutMix", ICCV 2019, section 3.1.

    Attributes:
        other: index of each image's partner in the batch, shape (B,).
        own: weight λ of each image; its partner has 1 − λ.
        box: edges of the pasted box in CutMix, as shares of height and width: top, bottom,
            left, right; `None` for mixup.
    """

    other: Tensor
    own: float
    box: tuple[float, float, float, float] | None = None

    def __call__(self, images: Tensor, *, whole: tuple[int, int] | None = None) -> Tensor:
        """Return mixed images (B, C, H, W).

        Args:
            images: images of any size (B, C, H, W).
            whole: height and width of the uncropped images, of which `images` are center crops;
                by default those of `images`.
        """
        if self.box is None:
            return self.own * images + (1 - self.own) * images[self.other]
        height, width = whole or (images.shape[2], images.shape[3])
        top, bottom = (_moved(share, height, images.shape[2]) for share in self.box[:2])
        left, right = (_moved(share, width, images.shape[3]) for share in self.box[2:])
        images, given = images.clone(), images
        images[:, :, top:bottom, left:right] = given[self.other][:, :, top:bottom, left:right]
        return images


def _moved(share: float, whole: int, side: int) -> int:
    """Convert an edge, as a share of `whole`, to a pixel in its center crop of `side` pixels."""
    return min(max(round(share * whole) - (whole - side) // 2, 0), side)


@dataclass(frozen=True, eq=False)
class Mixed:
    """A mixed batch with its targets.

    Attributes:
        images: images, shape (B, C, H, W).
        targets: class probabilities, shape (B, N).
        labels: class with the larger weight in each image, shape (B,); `None` if images have
            any number of labels.
        mixing: parameters of mixup or CutMix; `None` without mixing.
    """

    images: Tensor
    targets: Tensor
    labels: Tensor | None
    mixing: Mixing | None = None


def smoothed(labels: Tensor, num_classes: int, smoothing: float) -> Tensor:
    """Return smoothed one-hot targets, shape (B, N), of labels (B,).

    Source: Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7.

    Examples:
        >>> smoothed(torch.tensor([1]), 4, 0.2)
        tensor([[0.0500, 0.8500, 0.0500, 0.0500]])
    """
    return F.one_hot(labels, num_classes) * (1 - smoothing) + smoothing / num_classes


def mixed(images: Tensor, labels: Tensor, num_classes: int, recipe: Changes) -> Mixed:
    """Apply label smoothing and mixup or CutMix to images (B, C, H, W) with labels (B,)."""
    return mix(images, smoothed(labels, num_classes, recipe.label_smoothing), labels, recipe)


def mix(images: Tensor, targets: Tensor, labels: Tensor | None, recipe: Changes) -> Mixed:
    """Apply mixup or CutMix, with torch's global generator.

    Every image is mixed with another one of the batch, all with the same weight λ ~ Beta(α, α).

    Args:
        images: images (B, C, H, W).
        targets: probabilities of the classes (B, N).
        labels: class of each image (B,), if it has exactly one.
        recipe: parameters α of mixup and CutMix.
    """
    if not (recipe.mixup or recipe.cutmix):
        return Mixed(images, targets, labels)
    # If both are enabled, each batch uses one of them, with probability 1/2.
    cut = recipe.cutmix > 0 and (recipe.mixup == 0 or bool(torch.rand(()) < 0.5))
    alpha = recipe.cutmix if cut else recipe.mixup
    own = float(Beta(alpha, alpha).sample())
    other = torch.randperm(len(images)).to(images.device)
    mixing = _boxed(images, other, own) if cut else Mixing(other, own)
    if labels is not None and mixing.own < 0.5:
        labels = labels[other]
    mixed_targets = mixing.own * targets + (1 - mixing.own) * targets[other]
    return Mixed(mixing(images), mixed_targets, labels, mixing)


def _boxed(images: Tensor, other: Tensor, own: float) -> Mixing:
    """Draw a box of a share 1 − `own` of the image's area, then clip it at the edges.

    Its center is uniform over the image; λ is recomputed from the clipped box in whole pixels.
    """
    height, width = images.shape[2:]
    top, bottom = _edges(height, own)
    left, right = _edges(width, own)
    box = (top / height, bottom / height, left / width, right / width)
    return Mixing(other, 1 - (bottom - top) * (right - left) / (height * width), box)


def _edges(side: int, own: float) -> tuple[int, int]:
    half = side * (1 - own) ** 0.5 / 2
    middle = float(torch.rand(())) * side
    return round(max(0.0, middle - half)), round(min(side, middle + half))
