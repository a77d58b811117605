"""Contrastive representation distillation: an image's features are the teacher's of that image.

Source: Tian, Krishnan and Isola, "Contrastive Representation Distillation", ICLR 2020,
section 3.1: a critic tells pairs of one image from pairs of two, whose features are kept
in a memory of the whole training split.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.distillation.losses._precision import at_least_single


def crd_loss(
    cosines: Tensor, *, images: int, temperature: float = 0.07, log_normaliser: float | Tensor = 0.0
) -> Tensor:
    """Return −ln h(own) − Σ ln(1 − h(other)), mean over the batch.

    h = e/(e + K/M) with e = exp(cosine/τ)/Z: the probability, by the critic, that a pair
    is of one image. The infimum 0 is not reached by cosines, which end at 1.

    Deviation: the paper prints no Z; the authors' code has one, so that e has a mean of
    1/M over the memory.

    Args:
        cosines: (B, 1 + K) of one network's features of each image with the other's: of the
            same image first, then of K other images. Gradients flow into them.
        images: M, how many there are in all.
        temperature: τ.
        log_normaliser: ln Z.

    Examples:
        >>> round(float(crd_loss(torch.zeros(1, 2), images=1)), 4)  # h = ½, a guess
        1.3863
    """
    noise = math.log((cosines.shape[1] - 1) / images)
    evidence = at_least_single(cosines) / temperature - log_normaliser - noise
    return (F.softplus(-evidence[:, 0]) + F.softplus(evidence[:, 1:]).sum(dim=1)).mean()


def others_of_another_class(labels: Tensor, known: Tensor, count: int) -> Tensor:
    """Return images of another class, drawn with repetition by torch's global generator.

    Args:
        labels: (B,) classes of the images to be contrasted.
        known: (M,) class of every image, −1 where it is not known yet.
        count: how many to draw for each.

    Returns:
        Places in `known`, (B, count). Where all images are of the image's own class,
        they are any images.
    """
    by_class, place = known.sort(stable=True)
    start = torch.searchsorted(by_class, labels)
    own = torch.searchsorted(by_class, labels, right=True) - start
    own = torch.where(own < len(known), own, 0)
    drawn = torch.rand(len(labels), count, device=known.device, dtype=torch.float64)
    other = (drawn * (len(known) - own)[:, None]).long()
    return place[torch.where(other < start[:, None], other, other + own[:, None])]
