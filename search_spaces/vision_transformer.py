"""A vision transformer with heads and MLP ratio per layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

HEAD_SIZE = 64
"""Channels of each attention head, whatever the hidden size (AutoFormer, section 4)."""


class Attention(nn.Module):
    """Multi-head self-attention with 64 channels per head, independent of the hidden size."""

    def __init__(self, hidden: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(hidden, 3 * HEAD_SIZE * heads)
        self.proj = nn.Linear(HEAD_SIZE * heads, hidden)

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, T, hidden) to the same shape."""
        # (B, T, 3·heads·64) to three times (B, heads, T, 64)
        split = self.qkv(x).unflatten(-1, (3, self.heads, HEAD_SIZE)).permute(2, 0, 3, 1, 4)
        query, key, value = split[0], split[1], split[2]
        # Not F.scaled_dot_product_attention, whose fast kernels have no second derivative.
        weights = (query @ key.transpose(-2, -1) * HEAD_SIZE**-0.5).softmax(dim=-1)
        y: Tensor = self.proj((weights @ value).transpose(1, 2).flatten(2))
        return y


class TransformerBlock(nn.Module):
    """Self-attention and a two-layer MLP, each with pre-norm and a shortcut."""

    def __init__(self, hidden: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.attention = Attention(hidden, heads)
        self.norm2 = nn.LayerNorm(hidden)
        inner = int(mlp_ratio * hidden)
        self.mlp = nn.Sequential(nn.Linear(hidden, inner), nn.GELU(), nn.Linear(inner, hidden))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, T, hidden) to the same shape."""
        y = x + self.attention(self.norm1(x))
        z: Tensor = y + self.mlp(self.norm2(y))
        return z


class VisionTransformer(nn.Module):
    """A vision transformer whose layers can differ in heads and MLP ratio.

    Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, section 3.1,
    with pre-norm; 64 channels per head as in AutoFormer (Chen et al., ICCV 2021, arXiv
    2107.00651, section 4). Class token and position embeddings are learned. Linear layers,
    class token and positions are initialized from a truncated normal distribution with
    standard deviation 0.02. The tokens are the class token and the patches, row by row.

    Args:
        hidden: channels of a token.
        heads: number of attention heads, per layer.
        mlp_ratios: channels inside the MLP as a multiple of `hidden`, per layer.
        num_classes: outputs of the linear head.
        image_size: height and width of the images, which must have this size.
        patch_size: height and width of a patch.
        in_channels: channels of the images.

    Raises:
        ValueError: there are no layers, `heads` and `mlp_ratios` differ in length, a size is
            below 1, or the image size is not a multiple of the patch size; in `forward`, the
            images have another size.

    Examples:
        >>> network = VisionTransformer(
        ...     hidden=192, heads=[3] * 12, mlp_ratios=[4] * 12, num_classes=1000,
        ...     image_size=224, patch_size=16)  # DeiT-Ti
        >>> sum(p.numel() for p in network.parameters())
        5717416
    """

    def __init__(
        self,
        *,
        hidden: int,
        heads: Sequence[int],
        mlp_ratios: Sequence[float],
        num_classes: int,
        image_size: int = 32,
        patch_size: int = 4,
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not heads or len(heads) != len(mlp_ratios):
            raise ValueError(
                "Expected heads and MLP ratios for the same layers, one at least, "
                f"but got {len(heads)} and {len(mlp_ratios)}"
            )
        if min(*heads, hidden, num_classes, in_channels) < 1 or int(min(mlp_ratios) * hidden) < 1:
            raise ValueError(
                "Expected hidden, heads, hidden × MLP ratio, num_classes and in_channels of at "
                f"least 1, but got hidden={hidden}, heads={heads}, mlp_ratios={mlp_ratios}, "
                f"num_classes={num_classes}, in_channels={in_channels}"
            )
        check_patches(image_size, patch_size)
        self.image_size = image_size
        self.patches = nn.Conv2d(in_channels, hidden, patch_size, stride=patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, hidden))
        tokens = 1 + (image_size // patch_size) ** 2
        self.positions = nn.Parameter(torch.empty(1, tokens, hidden))
        layers = zip(heads, mlp_ratios, strict=True)
        self.blocks = nn.Sequential(*(TransformerBlock(hidden, h, ratio) for h, ratio in layers))
        self.norm = nn.LayerNorm(hidden)
        self.head = nn.Linear(hidden, num_classes)
        self._initialize()

    def _initialize(self) -> None:
        for token in (self.class_token, self.positions):
            nn.init.trunc_normal_(token, std=0.02)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, in_channels, image_size, image_size) to logits (B, num_classes)."""
        # Under torch.fx, the images are a proxy whose shape is not known.
        if isinstance(images, Tensor) and tuple(images.shape[2:]) != (self.image_size,) * 2:
            raise ValueError(
                f"Expected images of {self.image_size}×{self.image_size} pixels, but got "
                f"{'×'.join(map(str, images.shape[2:]))}: give image_size, or resize the images"
            )
        patches = self.patches(images).flatten(2).transpose(1, 2)
        class_token = self.class_token.expand(images.shape[0], -1, -1)
        tokens = torch.cat([class_token, patches], dim=1) + self.positions
        logits: Tensor = self.head(self.norm(self.blocks(tokens))[:, 0])
        return logits


def check_patches(image_size: int, patch_size: int) -> None:
    """Make sure that the image size is a multiple of the patch size.

    Raises:
        ValueError: it is not, or a size is below 1.
    """
    if min(image_size, patch_size) < 1 or image_size % patch_size:
        raise ValueError(
            "Expected an image_size that is a multiple of patch_size, "
            f"but got {image_size} and {patch_size}"
        )
