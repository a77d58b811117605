"""Transformer encoders of texts: depth, width, heads and feed-forward ratio (AutoDistil)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._signature import Signature


class SelfAttention(nn.Module):
    """Multi-head self-attention among the tokens of a text, with heads of a fixed size."""

    def __init__(self, hidden: int, heads: int, head_size: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(hidden, heads * head_size) for _ in range(3))
        self.output = nn.Linear(heads * head_size, hidden)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape, attending where mask (B, L) is true."""
        query, key, value = (
            layer(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        # Not F.scaled_dot_product_attention, whose fast kernels have no second derivative.
        scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None, None], -1e9).softmax(dim=-1)
        mixed: Tensor = self.output((weights @ value).transpose(1, 2).flatten(2))
        return mixed


class EncoderLayer(nn.Module):
    """Attention and a feed-forward network, each after a LayerNorm and around a shortcut."""

    def __init__(self, hidden: int, heads: int, head_size: int, inner: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(hidden)
        self.attention = SelfAttention(hidden, heads, head_size)
        self.norm2 = nn.LayerNorm(hidden)
        self.feed_forward = nn.Sequential(
            nn.Linear(hidden, inner), nn.GELU(), nn.Linear(inner, hidden)
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape; 0 where mask (B, L) is false."""
        between = tokens + self.attention(self.norm1(tokens), mask)
        after: Tensor = between + self.feed_forward(self.norm2(between))
        return after * mask[..., None]


class MaskedNorm(nn.LayerNorm):
    """A LayerNorm whose output is 0 where there is no text."""

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Map tokens (B, L, hidden) to the same shape; 0 where mask (B, L) is false."""
        normed: Tensor = super().forward(tokens) * mask[..., None]
        return normed


class TextEncoder(nn.Module):
    """A transformer encoder with a linear classifier on the mean of its tokens.

    Sources: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.1, with
    learned positions as in BERT (Devlin et al., NAACL 2019) and normalization first. All layers
    are alike, and heads have a fixed size, as in AutoDistil (Xu et al., NeurIPS 2022, table 2
    and the released code). The output of padded tokens is 0 after every layer.

    Args:
        vocabulary: how many tokens there are.
        length: the most tokens of a text.
        outputs: of the linear classifier.
        layers: how many there are.
        hidden: channels of a token.
        heads: of each layer.
        head_size: channels of a head.
        ratio: channels inside each feed-forward network as a multiple of `hidden`.

    Raises:
        ValueError: a number is below 1; also when a text is longer.

    Examples:
        >>> import torch
        >>> network = TextEncoder(vocabulary=100, length=8, outputs=5, layers=2, hidden=16,
        ...                       heads=2, head_size=8, ratio=4)
        >>> tokens = torch.tensor([[1, 7, 2, 0]])
        >>> network(tokens, tokens != 0).shape
        torch.Size([1, 5])
    """

    def __init__(
        self,
        *,
        vocabulary: int,
        length: int,
        outputs: int,
        layers: int,
        hidden: int,
        heads: int,
        head_size: int,
        ratio: float,
    ) -> None:
        super().__init__()
        inner = int(ratio * hidden)
        if min(vocabulary, length, outputs, layers, hidden, heads, head_size, inner) < 1:
            raise ValueError(
                "Expected vocabulary, length, outputs, layers, hidden, heads, head_size and "
                f"ratio × hidden of at least 1, but got {vocabulary}, {length}, {outputs}, "
                f"{layers}, {hidden}, {heads}, {head_size} and {inner}"
            )
        self.tokens = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(length, hidden)
        self.layers = nn.ModuleList(
            EncoderLayer(hidden, heads, head_size, inner) for _ in range(layers)
        )
        self.norm = MaskedNorm(hidden)
        self.classifier = nn.Linear(hidden, outputs)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map numbers of tokens (B, L), and where they are text (B, L), to logits (B, outputs)."""
        mask = attention_mask.bool()
        length = input_ids.shape[1]
        # torch.fx traces with a stand-in for the tokens, whose length is not known.
        if isinstance(length, int) and length > self.positions.num_embeddings:
            raise ValueError(
                f"Expected at most {self.positions.num_embeddings} tokens, but got {length}: cut "
                "the texts, or build a longer network"
            )
        tokens = (self.tokens(input_ids) + self.positions.weight[:length]) * mask[..., None]
        for layer in self.layers:
            tokens = layer(tokens, mask)
        count = mask.sum(dim=1, keepdim=True).clamp_min(1)
        mean = self.norm(tokens, mask).sum(dim=1) / count
        logits: Tensor = self.classifier(mean)
        return logits


class Ranges(NamedTuple):
    """What the encoders of a space can have."""

    layers: tuple[int, ...]
    hidden: tuple[int, ...]
    heads: tuple[int, ...]
    ratios: tuple[float, ...]


AUTODISTIL: Mapping[str, Ranges] = {
    "tiny": Ranges((4, 5, 6, 7), (128, 160, 192, 224), (7, 8, 9, 10), (2.0, 2.5, 3.0, 3.5)),
    "small": Ranges((9, 10, 11, 12), (256, 288, 320, 352), (7, 8, 9, 10), (2.5, 3.0, 3.5, 4.0)),
    "base": Ranges((9, 10, 11, 12), (544, 576, 608, 640), (9, 10, 11, 12), (2.5, 3.0, 3.5, 4.0)),
}
"""The sub-spaces of the paper's table 2, 256 encoders each."""

HEAD_SIZE = 64
"""Channels of each head in the paper's code, whatever the hidden size."""


class TextEncoderSpace(ChoiceSpace):
    """Transformer encoders of texts; by default AutoDistil's tiny ones with widths divided by 8.

    Source: AutoDistil (Xu et al., NeurIPS 2022), table 2. All layers of an encoder are alike.
    Embeddings are as large as the vocabulary and the length of the data, and count as
    parameters. An architecture is written `layers=4,hidden=16,heads=7,ratio=2.0`.

    Args:
        layers: numbers of layers to choose from.
        hidden: channels of a token to choose from.
        heads: numbers of heads to choose from.
        ratios: feed-forward ratios to choose from.
        head_size: channels of a head.

    Raises:
        ValueError: nothing to choose from, or options that make no network.

    Examples:
        >>> from search_spaces import Signature, TensorSpec
        >>> space = TextEncoderSpace()
        >>> arch = space.from_string("layers=4,hidden=16,heads=7,ratio=2.0")
        >>> signature = Signature((TensorSpec("input_ids", (8,), "int64", high=100),
        ...                        TensorSpec("attention_mask", (8,), "bool")), 5)
        >>> network = space.network(arch, signature)
        >>> network(*signature.example(2)).shape, sum(p.numel() for p in network.parameters())
        (torch.Size([2, 5]), 21461)
    """

    def __init__(
        self,
        *,
        layers: Sequence[int] = AUTODISTIL["tiny"].layers,
        hidden: Sequence[int] = (16, 20, 24, 28),
        heads: Sequence[int] = AUTODISTIL["tiny"].heads,
        ratios: Sequence[float] = AUTODISTIL["tiny"].ratios,
        head_size: int = 8,
    ) -> None:
        if min(*layers, *hidden, *heads, head_size, int(min(ratios) * min(hidden))) < 1:
            raise ValueError(
                "Expected layers, hidden, heads, head_size and hidden × ratio of at least 1, but "
                f"got {layers}, {hidden}, {heads}, {head_size} and ratios {ratios}"
            )
        super().__init__(
            {
                "layers": Choice(*layers),
                "hidden": Choice(*hidden),
                "heads": Choice(*heads),
                "ratio": Choice(*ratios),
            }
        )
        self.head_size = head_size

    @classmethod
    def autodistil(cls, size: str, *, scale: int = 1) -> "TextEncoderSpace":
        """Return a sub-space of the paper, with hidden sizes and head size divided by a factor.

        Layers, heads and ratios are the paper's.

        Args:
            size: `tiny`, `small` or `base`.
            scale: a divisor of 32, such as 8 for small machines.

        Raises:
            ValueError: there is no such size, or the factor does not divide 32.

        Examples:
            >>> TextEncoderSpace.autodistil("base", scale=16).fields["hidden"].options
            (34, 36, 38, 40)
        """
        if size not in AUTODISTIL:
            raise ValueError(f"Expected a size of {', '.join(AUTODISTIL)}, but got {size!r}")
        if scale < 1 or 32 % scale:
            raise ValueError(f"Expected a scale that divides 32, but got {scale}")
        ranges = AUTODISTIL[size]
        return cls(
            layers=ranges.layers,
            hidden=[each // scale for each in ranges.hidden],
            heads=ranges.heads,
            ratios=ranges.ratios,
            head_size=HEAD_SIZE // scale,
        )

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the encoder for the vocabulary and the length of the inputs.

        Raises:
            ValueError: the inputs are no numbers of tokens with a mask.
        """
        ids = signature.inputs[0]
        if len(signature.inputs) != 2 or len(ids.shape) != 1 or not ids.high or not ids.shape[0]:
            raise ValueError(
                "Expected numbers of tokens of a known length and a mask, but got "
                f"{signature.describe()}: text encoders take texts"
            )
        return TextEncoder(
            vocabulary=ids.high,
            length=ids.shape[0],
            outputs=signature.outputs,
            layers=arch.layers,
            hidden=arch.hidden,
            heads=arch.heads,
            head_size=self.head_size,
            ratio=arch.ratio,
        )
