"""Token mixers of FlexiBERT's layers: attention, linear transforms, dynamic convolutions."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FlexibleAttention(nn.Module):
    """Self-attention with scaled dot products, or weighted multiplicative attention (WMA).

    Source: FlexiBERT (Tuli et al., JAIR 2023), section 3.1; WMA has a learned matrix between
    queries and keys, as in Luong et al., EMNLP 2015, section 3.1 (general).
    """

    def __init__(self, hidden: int, heads: int, *, weighted: bool) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(hidden, hidden) for _ in range(3))
        self.output = nn.Linear(hidden, hidden)
        size = hidden // heads
        self.between = nn.Parameter(torch.eye(size).repeat(heads, 1, 1)) if weighted else None

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape, attending where mask (B, L) is true."""
        query, key, value = (
            _by_head(layer(tokens), self.heads) for layer in (self.query, self.key, self.value)
        )
        if self.between is not None:
            query = query @ self.between
        scores = query @ key.mT * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None, None], -1e9).softmax(dim=-1)
        mixed: Tensor = self.output((weights @ value).transpose(1, 2).flatten(2))
        return mixed


class LinearTransform(nn.Module):
    """The real part of a Fourier transform, or a cosine transform, over tokens and channels.

    The transform has no parameters; a linear layer follows it.

    Source: FNet (Lee-Thorp et al., NAACL 2022), equation 3, in each head as in FlexiBERT.
    """

    def __init__(self, hidden: int, heads: int, *, cosine: bool) -> None:
        super().__init__()
        self.heads, self.cosine = heads, cosine
        self.output = nn.Linear(hidden, hidden)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape; padding is set to 0 first."""
        split = _by_head(tokens * mask[..., None], self.heads)
        length, size = split.shape[-2:]
        if self.cosine:
            mixed = _cosine(length, split) @ split @ _cosine(size, split).mT
        else:
            (cos_l, sin_l), (cos_d, sin_d) = _fourier(length, split), _fourier(size, split)
            mixed = cos_l @ split @ cos_d - sin_l @ split @ sin_d
        mixed = mixed * (length * size) ** -0.5
        result: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return result


class SpanConvolution(nn.Module):
    """A dynamic convolution, whose kernel is computed from the tokens around each position.

    Source: ConvBERT (Jiang et al., NeurIPS 2020), equation 6.
    """

    def __init__(self, hidden: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.heads, self.kernel = heads, kernel
        self.query, self.value = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden)
        self.depthwise = nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden)
        self.pointwise = nn.Conv1d(hidden, hidden, 1)
        self.weights = nn.Linear(hidden, heads * kernel)
        self.output = nn.Linear(hidden, hidden)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape; padding is set to 0 first."""
        known = tokens * mask[..., None]
        span = self.pointwise(self.depthwise(known.mT)).mT
        # One kernel per position and head, normalized by a softmax.
        kernels = self.weights(span * self.query(known))
        kernels = kernels.reshape(*kernels.shape[:2], self.heads, 1, self.kernel).softmax(dim=-1)
        padded = F.pad(self.value(known) * mask[..., None], (0, 0) + 2 * (self.kernel // 2,))
        windows = padded.unfold(1, self.kernel, 1)
        windows = windows.reshape(*windows.shape[:2], self.heads, -1, self.kernel)
        mixed: Tensor = self.output((windows * kernels).sum(dim=-1).flatten(2))
        return mixed


def _by_head(channels: Tensor, heads: int) -> Tensor:
    return channels.reshape(*channels.shape[:2], heads, -1).transpose(1, 2)


def _fourier(size: int, like: Tensor) -> tuple[Tensor, Tensor]:
    indices = torch.arange(size, device=like.device, dtype=like.dtype)
    angles = 2 * math.pi / size * (indices[:, None] * indices)
    return angles.cos(), angles.sin()


def _cosine(size: int, like: Tensor) -> Tensor:
    indices = torch.arange(size, device=like.device, dtype=like.dtype)
    return (math.pi / size * (indices[:, None] * (indices + 0.5))).cos()
