"""FlexiBERT's space: text encoders whose layers differ in operation and feed-forward stack."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from torch import Tensor, nn

from search_spaces._contract import Architecture, SearchSpace
from search_spaces._encoder import MaskedNorm, tokens_of
from search_spaces._mixers import FlexibleAttention, LinearTransform, SpanConvolution
from search_spaces._signature import Signature

HIDDEN = (128, 256)
DEPTHS = (2, 4)
OPERATIONS = (
    ("SA", "SDP"),
    ("SA", "WMA"),
    ("LT", "DFT"),
    ("LT", "DCT"),
    ("DSC", "5"),
    ("DSC", "9"),
)
HEADS = (2, 4)
INNER = (512, 1024)
STACKED = (1, 3)


@dataclass(frozen=True, order=True)
class FlexiLayer:
    """One layer of an encoder.

    Attributes:
        operation: `SA` (self-attention), `LT` (linear transform) or `DSC` (dynamic convolution).
        parameter: variant of the operation: `SDP` or `WMA`, `DFT` or `DCT`, or the kernel size.
        heads: number of heads into which channels are split.
        inner: width of the hidden feed-forward layers.
        stacked: number of hidden feed-forward layers.
    """

    operation: str
    parameter: str
    heads: int
    inner: int
    stacked: int

    def __str__(self) -> str:
        fields = (self.operation, self.parameter, self.heads, self.inner, self.stacked)
        return "-".join(map(str, fields))


@dataclass(frozen=True, order=True)
class FlexiBERTArchitecture:
    """An architecture of `FlexiBERTSpace`.

    Attributes:
        hidden: channels of a token.
        layers: the layers, in order.
    """

    hidden: int
    layers: tuple[FlexiLayer, ...]


class FlexiBERTSpace(SearchSpace):
    """FlexiBERT's space: transformer encoders of texts with different kinds of layers.

    Source: FlexiBERT (Tuli et al., JAIR 2023), table 1, with one hidden size for all layers as in
    the table of GLUE scores that Serianni and Kalita (ACL 2023) released. An architecture is
    written `128:SA-SDP-4-512-3,LT-DCT-2-1024-1`: hidden size, then operation, its parameter, heads,
    feed-forward channels and feed-forward layers of each layer.

    Examples:
        >>> space = FlexiBERTSpace()
        >>> space.size
        10621440
    """

    @property
    def size(self) -> int:
        """Number of architectures: hidden sizes × the sum over depths of (layers)^depth."""
        choices = len(OPERATIONS) * len(HEADS) * len(INNER) * len(STACKED)
        total: int = len(HIDDEN) * sum(choices**depth for depth in DEPTHS)
        return total

    def sample(self, rng: np.random.Generator) -> FlexiBERTArchitecture:
        """Draw the hidden size, the depth, and each layer independently."""
        depth = int(rng.choice(DEPTHS))
        layers = tuple(_drawn(rng) for _ in range(depth))
        return FlexiBERTArchitecture(int(rng.choice(HIDDEN)), layers)

    def mutate(
        self, arch: FlexiBERTArchitecture, rng: np.random.Generator
    ) -> FlexiBERTArchitecture:
        """Change the hidden size, the depth, or one layer."""
        # Mutate one of: hidden size, depth, or a random layer.
        what = rng.integers(len(arch.layers) + 2)
        if what == 0:
            return replace(arch, hidden=sum(HIDDEN) - arch.hidden)
        if what == 1:
            short = arch.layers[: min(DEPTHS)]
            more = tuple(_drawn(rng) for _ in range(max(DEPTHS) - min(DEPTHS)))
            deep = len(arch.layers) == max(DEPTHS)
            return replace(arch, layers=short if deep else (*arch.layers, *more))
        layers = list(arch.layers)
        layers[what - 2] = _drawn(rng)
        return replace(arch, layers=tuple(layers))

    def crossover(
        self, a: FlexiBERTArchitecture, b: FlexiBERTArchitecture, rng: np.random.Generator
    ) -> FlexiBERTArchitecture:
        """Take hidden size and depth from one parent, and each layer from either parent."""
        # Uniform crossover: hidden size and depth are from one parent, layers from both.
        first, other = (a, b) if rng.random() < 0.5 else (b, a)
        layers = tuple(
            other.layers[index] if index < len(other.layers) and rng.random() < 0.5 else layer
            for index, layer in enumerate(first.layers)
        )
        return replace(first, layers=layers)

    def network(self, arch: FlexiBERTArchitecture, signature: Signature) -> nn.Module:
        """Build the encoder for the vocabulary size and length of the inputs.

        Args:
            arch: an architecture of the space.
            signature: shapes of the inputs (token ids and a mask) and outputs.

        Raises:
            ValueError: the inputs are not token ids and a mask.
        """
        vocabulary, length = tokens_of(signature)
        return FlexiBERT(arch, vocabulary=vocabulary, length=length, outputs=signature.outputs)

    def to_string(self, arch: FlexiBERTArchitecture) -> str:
        """Return hidden size and layers as text."""
        return f"{arch.hidden}:{','.join(map(str, arch.layers))}"

    def from_string(self, text: str) -> FlexiBERTArchitecture:
        """Parse a name made by `to_string`.

        Raises:
            ValueError: the text is not the name of an architecture of this space.
        """
        hidden, _, rest = text.replace(" ", "").partition(":")
        layers = [part.split("-") for part in rest.split(",")]
        try:
            made = tuple(
                FlexiLayer(operation, parameter, int(heads), int(inner), int(stacked))
                for operation, parameter, heads, inner, stacked in layers
            )
            return _checked(FlexiBERTArchitecture(int(hidden), made))
        except ValueError as error:
            raise ValueError(
                f"Expected an encoder such as 128:SA-SDP-4-512-3,LT-DCT-2-1024-1, but got {text!r}"
            ) from error

    def from_record(self, record: Mapping[str, Any]) -> FlexiBERTArchitecture:
        """Make an architecture from a record of the released table of GLUE scores.

        Args:
            record: has `hidden_size` and `encoder_layers`; other entries are ignored.

        Raises:
            ValueError: the record is not an architecture of this space.
        """
        try:
            layers = tuple(
                FlexiLayer(
                    str(item["operation_type"]),
                    str(item["operation_parameter"]),
                    item["num_operation_heads"],
                    item["feed_forward_dimension"],
                    item["num_feed_forward"],
                )
                for item in record["encoder_layers"]
            )
            return _checked(FlexiBERTArchitecture(record["hidden_size"], layers))
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"Expected an encoder of FlexiBERT's space, but got {error}"
            ) from error


class FlexiBERT(nn.Module):
    """An encoder of FlexiBERT's space, with a linear classifier on the mean of its tokens.

    Args:
        arch: the architecture.
        vocabulary: number of token ids.
        length: maximal number of tokens of a text.
        outputs: outputs of the classifier.
    """

    def __init__(
        self, arch: FlexiBERTArchitecture, *, vocabulary: int, length: int, outputs: int
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, arch.hidden)
        self.positions = nn.Embedding(length, arch.hidden)
        self.norm = MaskedNorm(arch.hidden)
        self.layers = nn.ModuleList(_Layer(arch.hidden, layer) for layer in arch.layers)
        self.classifier = nn.Linear(arch.hidden, outputs)
        for embedding in (self.tokens, self.positions):
            nn.init.normal_(embedding.weight, std=0.02)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (B, L) and padding mask (B, L) to logits (B, outputs)."""
        mask = attention_mask.bool()
        tokens = self.tokens(input_ids) + self.positions.weight[: input_ids.shape[1]]
        tokens = self.norm(tokens, mask)
        for layer in self.layers:
            tokens = layer(tokens, mask)
        # Padding tokens are zero, so the mean is over the text only.
        mean = tokens.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp_min(1)
        logits: Tensor = self.classifier(mean)
        return logits


class _Layer(nn.Module):
    """An operation and a stack of feed-forward layers, each with a shortcut and post-norm."""

    def __init__(self, hidden: int, layer: FlexiLayer) -> None:
        super().__init__()
        self.attention = _operation(hidden, layer)
        self.norm1 = nn.LayerNorm(hidden)
        widths = [hidden, *(layer.inner,) * layer.stacked]
        stack: list[nn.Module] = []
        for given, made in pairwise(widths):
            stack += [nn.Linear(given, made), nn.GELU()]
        self.feed_forward = nn.Sequential(*stack, nn.Linear(layer.inner, hidden))
        self.norm2 = nn.LayerNorm(hidden)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Map tokens (B, L, hidden) to the same shape; 0 where mask (B, L) is false."""
        between = self.norm1(tokens + self.attention(tokens, mask))
        after: Tensor = self.norm2(between + self.feed_forward(between))
        return after * mask[..., None]


def _operation(hidden: int, layer: FlexiLayer) -> nn.Module:
    if layer.operation == "SA":
        return FlexibleAttention(hidden, layer.heads, weighted=layer.parameter == "WMA")
    if layer.operation == "LT":
        return LinearTransform(hidden, layer.heads, cosine=layer.parameter == "DCT")
    return SpanConvolution(hidden, layer.heads, int(layer.parameter))


def _drawn(rng: np.random.Generator) -> FlexiLayer:
    operation, parameter = OPERATIONS[rng.integers(len(OPERATIONS))]
    heads, inner, stacked = (int(rng.choice(item)) for item in (HEADS, INNER, STACKED))
    return FlexiLayer(operation, parameter, heads, inner, stacked)


def _checked(arch: Architecture) -> FlexiBERTArchitecture:
    """Make sure that an architecture belongs to the space.

    Raises:
        ValueError: it does not.
    """
    fits = arch.hidden in HIDDEN and len(arch.layers) in DEPTHS
    for layer in arch.layers:
        fits &= (layer.operation, layer.parameter) in OPERATIONS
        fits &= layer.heads in HEADS and layer.inner in INNER and layer.stacked in STACKED
    if not fits:
        raise ValueError(f"Expected an encoder of FlexiBERT's space, but got {arch}")
    return FlexiBERTArchitecture(arch.hidden, arch.layers)
