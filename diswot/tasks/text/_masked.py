"""Masked-language modeling: masking, networks, loss and metric."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from diswot.errors import NetworkError
from diswot.networks import named
from diswot.networks.precision import at_least_single
from diswot.tasks._batch import Batch
from diswot.tasks._difference import mean_difference
from diswot.tasks._examples import Examples, SplitName
from diswot.tasks._measure import Measure
from diswot.tasks._metric import Metric
from diswot.tasks._tokenizer import TextTokenizer

NOT_HIDDEN = -100
"""Target of tokens that are not hidden, which the loss ignores."""

_MASKED, _KEPT = 0.8, 0.1
"""Shares of hidden tokens: replaced by [MASK], and unchanged; the rest become random tokens."""

_NO_BETTER = 0.98
"""Share of the loss of equal probabilities; a network at or above it is near chance."""


@dataclass(frozen=True)
class Masking:
    """Hides tokens of texts as BERT does.

    A share of the tokens is chosen, without special tokens such as padding: 80 % of them are
    replaced by [MASK], 10 % by random tokens, and 10 % are unchanged. At least one token of each
    text is chosen.

    Source: Devlin et al., "BERT", NAACL 2019, section 3.1, task 1.

    Attributes:
        mask: id of [MASK].
        special: ids of tokens that are never chosen.
        vocabulary: vocabulary size.
        share: probability that a token is chosen.
    """

    mask: int
    special: tuple[int, ...]
    vocabulary: int
    share: float = 0.15

    @classmethod
    def of(cls, tokenizer: TextTokenizer) -> "Masking":
        """Return the masking for texts of a tokenizer."""
        return cls(tokenizer.mask, tuple(sorted(tokenizer.special)), tokenizer.vocabulary)

    def __call__(
        self, tokens: Tensor, *, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return token ids with hidden tokens, and the targets, both (B, L).

        Targets are the ids of the chosen tokens, and −100 elsewhere.

        Args:
            tokens: token ids (B, L), on the CPU.
            generator: random generator; by default torch's global one.

        Examples:
            >>> masking = Masking(3, (0, 1, 2, 3), 100, share=1.0)
            >>> hidden, truth = masking(torch.tensor([[1, 50, 60, 2, 0]]))
            >>> truth.tolist(), hidden[0, [0, 3, 4]].tolist()
            ([[-100, 50, 60, -100, -100]], [1, 2, 0])
        """
        ordinary = torch.isin(tokens, torch.tensor(self.special), invert=True)
        drawn = torch.rand(tokens.shape, generator=generator).masked_fill(~ordinary, 2)
        first = torch.arange(tokens.shape[1]) == drawn.argmin(dim=1, keepdim=True)
        chosen = ((drawn < self.share) | first) & ordinary
        fate = torch.rand(tokens.shape, generator=generator)
        others = torch.randint(self.vocabulary, tokens.shape, generator=generator)
        hidden = torch.where(chosen & (fate < _MASKED), self.mask, tokens)
        hidden = torch.where(chosen & (fate >= _MASKED + _KEPT), others, hidden)
        return hidden, tokens.masked_fill(~chosen, NOT_HIDDEN)


class MaskedLanguageModel(nn.Module):
    """A text encoder that predicts tokens, with its token embeddings as the output layer.

    It adds no parameters. Source: Press and Wolf, "Using the Output Embedding to Improve Language
    Models", EACL 2017.

    Args:
        encoder: a network with an embedding `tokens` and a method `encoded`, which maps its
            inputs to tokens (B, L, hidden), such as `TextEncoder`.

    Raises:
        NetworkError: the network does not have both.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        embedded = isinstance(getattr(encoder, "tokens", None), nn.Embedding)
        if not embedded or not callable(getattr(encoder, "encoded", None)):
            raise NetworkError(
                f"{named(encoder)} cannot predict tokens: it has no embedding named tokens, or no "
                "method encoded that returns tokens (B, L, hidden), as TextEncoder has"
            )
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Map token ids (B, L) and attention mask (B, L) to logits (B, L, vocabulary)."""
        encoder: nn.Module = self.encoder
        tokens = encoder.encoded(input_ids, attention_mask)  # type: ignore[operator]
        logits: Tensor = F.linear(tokens, encoder.tokens.weight)  # type: ignore[union-attr,arg-type]
        return logits


def masked_lm_loss(logits: Tensor, truth: Tensor, *, by_text: bool = False) -> Tensor:
    """Return the mean cross-entropy of the hidden tokens in nats, of all texts or per text (B,).

    Args:
        logits: (B, L, vocabulary).
        truth: (B, L) ids of hidden tokens, −100 elsewhere.
        by_text: whether to return the mean of each text.

    Examples:
        >>> truth = torch.tensor([[1, -100], [0, 1]])
        >>> masked_lm_loss(torch.zeros(2, 2, 4), truth, by_text=True)
        tensor([1.3863, 1.3863])
    """
    logits = at_least_single(logits)
    if not by_text:
        return F.cross_entropy(logits.flatten(0, 1), truth.flatten(), ignore_index=NOT_HIDDEN)
    each = F.cross_entropy(logits.mT, truth, ignore_index=NOT_HIDDEN, reduction="none")
    return each.sum(dim=1) / (truth != NOT_HIDDEN).sum(dim=1)


class MaskedLMLoss(Metric):
    """Metric: mean cross-entropy of hidden tokens, per text.

    It is defined for datasets of `TextData.masked` and networks of `MaskedLanguageModel`.
    """

    name = "masked-LM loss"
    unit = "nats"
    higher_is_better = False

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        """Return the mean loss of each text's hidden tokens: (B,)."""
        return masked_lm_loss(output, batch.targets, by_text=True)

    def summarize(self, values: Tensor, _dataset: Examples, _split: SplitName) -> Measure:
        """Return the mean over texts with the 95 % interval of Student's t."""
        return mean_of_texts(self, values)

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        """Return whether the interval reaches 98 % of the loss of equal probabilities."""
        equal = math.log(dataset.signature.inputs[0].high or 1)
        return self.summarize(values, dataset, split).high >= _NO_BETTER * equal


def mean_of_texts(metric: Metric, values: Tensor) -> Measure:
    """Return the mean of a metric's values (n,) with the 95 % interval of Student's t."""
    result = mean_difference(values, torch.zeros_like(values))
    return Measure(
        metric.name,
        result.value,
        result.low,
        result.high,
        len(values),
        metric.unit,
        metric.higher_is_better,
    )
