"""Token ids of captions."""

from collections.abc import Sequence

import torch
from torch import Tensor

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
    ids = torch.full((len(texts), length), tokenizer.pad)
    mask = torch.zeros((len(texts), length), dtype=torch.bool)
    for row, text in enumerate(texts):
        numbers = tokenizer.encode(text)
        if len(numbers) > length:
            numbers = [*numbers[: length - 1], tokenizer.end]
        ids[row, : len(numbers)] = torch.tensor(numbers)
        mask[row, : len(numbers)] = True
    return ids, mask
