"""AutoDistil's space: text encoders of variable depth, width, heads and feed-forward ratio."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import nn

from search_spaces._choice_space import Choice, ChoiceSpace
from search_spaces._contract import Architecture
from search_spaces._encoder import TextEncoder, tokens_of
from search_spaces._signature import Signature


class Ranges(NamedTuple):
    """Options of a space of text encoders.

    Attributes:
        layers: numbers of layers.
        hidden: channels of a token.
        heads: numbers of heads.
        ratios: feed-forward ratios.
    """

    layers: tuple[int, ...]
    hidden: tuple[int, ...]
    heads: tuple[int, ...]
    ratios: tuple[float, ...]


AUTODISTIL: Mapping[str, Ranges] = {
    "tiny": Ranges((4, 5, 6, 7), (128, 160, 192, 224), (7, 8, 9, 10), (2.0, 2.5, 3.0, 3.5)),
    "small": Ranges((9, 10, 11, 12), (256, 288, 320, 352), (7, 8, 9, 10), (2.5, 3.0, 3.5, 4.0)),
    "base": Ranges((9, 10, 11, 12), (544, 576, 608, 640), (9, 10, 11, 12), (2.5, 3.0, 3.5, 4.0)),
}
"""The sub-spaces of the paper's table 2, with 256 encoders each."""

HEAD_SIZE = 64
"""Channels of each head in the paper's code, whatever the hidden size."""


class TextEncoderSpace(ChoiceSpace):
    """Transformer encoders of texts whose layers all have the same shape, such as AutoDistil's.

    Source: AutoDistil (Xu et al., NeurIPS 2022), table 2. By default, the encoders are those of
    its tiny sub-space with widths divided by 8. Embeddings have the size of the data's vocabulary
    and length, and count as parameters. An architecture is written
    `layers=4,hidden=16,heads=7,ratio=2.0`.

    Args:
        layers: options for the number of layers.
        hidden: options for the channels of a token.
        heads: options for the number of heads.
        ratios: options for the feed-forward ratio.
        head_size: channels of a head.
        norm: `first` for pre-norm, `last` for post-norm, see `TextEncoder`.

    Raises:
        ValueError: there are no options, or options are invalid.

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
        norm: str = "first",
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
        self.norm = norm

    @classmethod
    def autodistil(cls, size: str, *, scale: int = 1, norm: str = "last") -> "TextEncoderSpace":
        """Return a sub-space of the paper, with hidden sizes and head size divided by `scale`.

        Args:
            size: `tiny`, `small` or `base`.
            scale: a divisor of 32, such as 8 for small machines.
            norm: `first` for pre-norm, or `last` for post-norm as in BERT and the paper.

        Raises:
            ValueError: the size is unknown, or the scale does not divide 32.

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
            hidden=[item // scale for item in ranges.hidden],
            heads=ranges.heads,
            ratios=ranges.ratios,
            head_size=HEAD_SIZE // scale,
            norm=norm,
        )

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the encoder for the vocabulary size and length of the inputs.

        Args:
            arch: an architecture of the space.
            signature: shapes of the inputs (token ids and a mask) and outputs.

        Raises:
            ValueError: the inputs are not token ids and a mask.
        """
        vocabulary, length = tokens_of(signature)
        return TextEncoder(
            vocabulary=vocabulary,
            length=length,
            outputs=signature.outputs,
            layers=arch.layers,
            hidden=arch.hidden,
            heads=arch.heads,
            head_size=self.head_size,
            ratio=arch.ratio,
            norm=self.norm,
        )
