"""The transformer encoder of texts that `TextEncoderSpace` builds."""

from torch import Tensor, nn

from search_spaces._signature import Signature


def tokens_of(signature: Signature) -> tuple[int, int]:
    """Return the vocabulary size and the maximum length of token sequences.

    Args:
        signature: shapes of a network's inputs: token ids and a mask.

    Raises:
        ValueError: the inputs are not token ids of a known length and a mask.
    """
    ids = signature.inputs[0]
    if len(signature.inputs) != 2 or len(ids.shape) != 1 or not ids.high or not ids.shape[0]:
        raise ValueError(
            "Expected token ids of a known length and a mask, but got "
            f"{signature.describe()}: these networks take tokens"
        )
    return ids.high, ids.shape[0]


class SelfAttention(nn.Module):
    """Multi-head self-attention with a fixed number of channels per head."""

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


NORMS = ("first", "last")
"""Pre-norm (before attention and feed-forward network) or post-norm (after each shortcut)."""


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each with a LayerNorm and a shortcut."""

    def __init__(
        self, hidden: int, heads: int, head_size: int, inner: int, norm: str = "first"
    ) -> None:
        super().__init__()
        self.first = norm == "first"
        self.norm1 = nn.LayerNorm(hidden)
        self.attention = SelfAttention(hidden, heads, head_size)
        self.norm2 = nn.LayerNorm(hidden)
        self.feed_forward = nn.Sequential(
            nn.Linear(hidden, inner), nn.GELU(), nn.Linear(inner, hidden)
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape; 0 where mask (B, L) is false."""
        if self.first:
            between = tokens + self.attention(self.norm1(tokens), mask)
            after: Tensor = between + self.feed_forward(self.norm2(between))
        else:
            between = self.norm1(tokens + self.attention(tokens, mask))
            after = self.norm2(between + self.feed_forward(between))
        return after * mask[..., None]


class MaskedNorm(nn.LayerNorm):
    """A LayerNorm whose output is 0 at padding positions."""

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """Map tokens (B, L, hidden) to the same shape; 0 where mask (B, L) is false."""
        normed: Tensor = super().forward(tokens) * mask[..., None]
        return normed


class TextEncoder(nn.Module):
    """A transformer encoder with a linear classifier on the mean of its tokens.

    Sources: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section 3.1, with
    learned positions as in BERT (Devlin et al., NAACL 2019), and pre-norm or, as in BERT,
    post-norm. All layers have the same shape, and heads have a fixed size, as in AutoDistil (Xu
    et al., NeurIPS 2022, table 2 and the released code). Outputs at padding positions are 0
    after every layer.

    Args:
        vocabulary: number of token ids.
        length: maximal number of tokens of a text.
        outputs: outputs of the linear classifier.
        layers: number of layers.
        hidden: channels of a token.
        heads: attention heads per layer.
        head_size: channels of a head.
        ratio: channels inside each feed-forward network as a multiple of `hidden`.
        norm: `first` for pre-norm with a final LayerNorm; `last` for post-norm with normalized
            embeddings, as in BERT.

    Raises:
        ValueError: a number is below 1, or the norm is unknown; in `forward`, a text is longer
            than `length`.

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
        norm: str = "first",
    ) -> None:
        super().__init__()
        if norm not in NORMS:
            raise ValueError(f"Expected a norm of {', '.join(NORMS)}, but got {norm!r}")
        inner = int(ratio * hidden)
        if min(vocabulary, length, outputs, layers, hidden, heads, head_size, inner) < 1:
            raise ValueError(
                "Expected vocabulary, length, outputs, layers, hidden, heads, head_size and "
                f"ratio × hidden of at least 1, but got {vocabulary}, {length}, {outputs}, "
                f"{layers}, {hidden}, {heads}, {head_size} and {inner}"
            )
        self.tokens = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(length, hidden)
        self.first = norm == "first"
        self.layers = nn.ModuleList(
            EncoderLayer(hidden, heads, head_size, inner, norm) for _ in range(layers)
        )
        self.norm = MaskedNorm(hidden)
        self.classifier = nn.Linear(hidden, outputs)
        for module in self.modules():
            if isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (B, L) and padding mask (B, L) to logits (B, outputs)."""
        mask = attention_mask.bool()
        count = mask.sum(dim=1, keepdim=True).clamp_min(1)
        mean = self.encoded(input_ids, mask).sum(dim=1) / count
        logits: Tensor = self.classifier(mean)
        return logits

    def encoded(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (B, L) and padding mask (B, L) to tokens (B, L, hidden), 0 at padding."""
        mask = attention_mask.bool()
        length = input_ids.shape[1]
        # Under torch.fx, the tokens are a proxy whose length is not an integer.
        if isinstance(length, int) and length > self.positions.num_embeddings:
            raise ValueError(
                f"Expected at most {self.positions.num_embeddings} tokens, but got {length}: cut "
                "the texts, or build a longer network"
            )
        tokens = (self.tokens(input_ids) + self.positions.weight[:length]) * mask[..., None]
        if not self.first:
            tokens = self.norm(tokens, mask)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        encoded: Tensor = self.norm(tokens, mask) if self.first else tokens
        return encoded
