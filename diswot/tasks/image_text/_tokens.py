"""Token ids of captions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from diswot.tasks._token_data import padded
from diswot.tasks._tokenizer import TextTokenizer


def tokens_of(
    tokenizer: TextTokenizer, texts: Sequence[str], *, length: int
) -> tuple[Tensor, Tensor]:
    """Return token ids (n, L), int64, and the mask (n, L), false at padding.

    Args:
        tokenizer: the tokenizer.
        texts: the texts.
        length: L; longer texts are cut, and their last token stays the end token.
    """
    numbers = [tokenizer.encode(text) for text in texts]
    ids, lengths = padded(numbers, length=length, pad=tokenizer.pad, end=(tokenizer.end,))
    return ids, torch.arange(length) < lengths[:, None]
