"""Targets of a batch, and images mixed in pairs."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Beta
from torch.nn import functional as F

from diswot.tasks._examples import Changes


@dataclass(frozen=True, eq=False)
class Mixing:
    """How the images of a batch are mixed in pairs.

    Sources: Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2;
    Yun et al., "CutMix", ICCV 2019, section 3.1.

    Attributes:
        other: (B,) places of the partners.
        own: share of every image that is its own.
        box: edges of what is put into every image, as shares of height and width: top, bottom,
            left, right; `None` where images are blended.
    """

    other: Tensor
    own: float
    box: tuple[float, float, float, float] | None = None

    def __call__(self, images: Tensor, *, whole: tuple[int, int] | None = None) -> Tensor:
        """Return images (B, C, H, W), mixed.

        Args:
            images: of any size.
            whole: height and width of which the images are the middle; by default their own.
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
    """Return the place of an edge, a share of `whole`, in the `side` pixels in its middle."""
    return min(max(round(share * whole) - (whole - side) // 2, 0), side)


@dataclass(frozen=True, eq=False)
class Mixed:
    """Images of a batch with what they are to be taken for.

    Attributes:
        images: (B, C, H, W).
        targets: (B, N) probabilities of the classes.
        labels: (B,) class of the larger part of each image.
        mixing: how they were mixed, if they were.
    """

    images: Tensor
    targets: Tensor
    labels: Tensor
    mixing: Mixing | None = None


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
    mixing = _boxed(images, other, own) if cut else Mixing(other, own)
    return Mixed(
        mixing(images),
        mixing.own * targets + (1 - mixing.own) * targets[other],
        labels if mixing.own >= 0.5 else labels[other],
        mixing,
    )


def _boxed(images: Tensor, other: Tensor, own: float) -> Mixing:
    """Draw a box of a share 1 − `own` of an image before it is cut off at the edges.

    Its middle is anywhere; the share that is left is that of whole pixels.
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
