"""MixDistribution: a contrast between images and the same images with other statistics."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BETA = 0.1
"""Both parameters of the Beta distribution of λ."""

TEMPERATURE = 0.3
WIDTH = 128
"""Number of dimensions in which two views of an image are compared."""

EPSILON = 1e-6


def mix_distribution(images: Tensor, shares: Tensor, partners: Tensor) -> Tensor:
    """Return images whose channel statistics are mixed with those of other images.

    x̃ = (x − μ)/σ · (λσ + (1 − λ)σ') + λμ + (1 − λ)μ', where μ and σ are mean and standard
    deviation of a channel of the image, and μ' and σ' those of its partner.

    Source: Tang et al., ICCV 2023, as in the authors' code.

    Args:
        images: images (B, C, H, W).
        shares: λ of each image (B,).
        partners: index of each image's partner (B,).

    Examples:
        >>> images = torch.rand(4, 3, 8, 8)
        >>> same = mix_distribution(images, torch.ones(4), torch.tensor([1, 2, 3, 0]))
        >>> bool((same - images).abs().max() < 1e-6)
        True
    """
    mean = images.mean((2, 3), keepdim=True)
    deviation = (images.var((2, 3), keepdim=True) + EPSILON).sqrt()
    share = shares.view(-1, 1, 1, 1)
    mixed_mean = share * mean + (1 - share) * mean[partners]
    mixed_deviation = share * deviation + (1 - share) * deviation[partners]
    return (images - mean) / deviation * mixed_deviation + mixed_mean


def drawn_mix(images: Tensor) -> Tensor:
    """Return `mix_distribution` with λ from Beta(0.1, 0.1) and a random order of partners.

    Random numbers are drawn from torch's global generator of the CPU.

    Args:
        images: images (B, C, H, W).
    """
    gamma = torch._standard_gamma(torch.full((2, len(images)), BETA)).clamp_min(1e-30)
    shares = (gamma[0] / gamma.sum(0)).to(images)
    partners = torch.randperm(len(images)).to(images.device)
    return mix_distribution(images, shares, partners)


def contrast_loss(one: Tensor, other: Tensor, *, temperature: float = TEMPERATURE) -> Tensor:
    """Return NT-Xent of two views of B examples, whose other 2B − 2 views are negatives.

    Source: Chen et al., "A Simple Framework for Contrastive Learning" (SimCLR), ICML 2020, eq. 1.

    Args:
        one: embeddings of the first views (B, D), of length 1.
        other: embeddings of the second views (B, D), of length 1.
        temperature: temperature of the softmax.

    Returns:
        The mean over all 2B views, a scalar.
    """
    views = torch.cat([one, other])
    similarities = views @ views.mT / temperature
    itself = torch.eye(len(views), dtype=torch.bool, device=views.device)
    targets = torch.arange(len(views), device=views.device).roll(len(one))
    return F.cross_entropy(similarities.masked_fill(itself, -torch.inf), targets)


class Embedding(nn.Module):
    """Maps features (B, D) to embeddings (B, 128) of length 1.

    Args:
        features: number of features D.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, WIDTH)

    def forward(self, features: Tensor) -> Tensor:
        """Return the embeddings of features (B, D)."""
        return F.normalize(self.linear(features), dim=1)
