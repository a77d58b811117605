"""Dual encoders: an image tower and a text tower with embeddings in one space."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.image_text._tokens import tokens_of

AT_ONCE = 256
"""Number of texts that are embedded at once."""


class DualEncoder(nn.Module, ABC):
    """Base class of teachers that embed images and texts in one space.

    Called with images, it is an image tower like the students. Called with images and texts, as
    in its own training, it returns both embeddings side by side.
    """

    @abstractmethod
    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings (B, D) of images (B, C, H, W), of any length."""

    @abstractmethod
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings (n, D) of texts, of any length."""

    def cut(self, texts: Sequence[str]) -> int:  # noqa: ARG002
        """Return the number of texts that are cut to the tokenizer's length; by default none."""
        return 0


class TrainedDualEncoder(DualEncoder):
    """A dual encoder that is trained on image-text pairs of a dataset.

    Args:
        image: image tower; returns (B, D) for images (B, C, H, W).
        text: text tower; returns (B, D) for token ids (B, L) and a mask (B, L).
        tokenizer: tokenizer of the texts.
        length: length of texts in tokens.
    """

    def __init__(
        self, image: nn.Module, text: nn.Module, *, tokenizer: TextTokenizer, length: int
    ) -> None:
        super().__init__()
        self.image, self.text = image, text
        self._tokenizer, self._length = tokenizer, length

    def forward(
        self,
        images: Tensor,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Return image embeddings (B, D), or with texts, image and text embeddings (B, 2·D)."""
        embedded = self.embed_images(images)
        if input_ids is None:
            return embedded
        return torch.cat([embedded, self.text(input_ids, attention_mask)], dim=1)

    def embed_images(self, images: Tensor) -> Tensor:
        """Return the embeddings (B, D) of images (B, C, H, W)."""
        return cast(Tensor, self.image(images))

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Return the embeddings (n, D) of texts; long texts are cut to the length in tokens."""
        device = next(self.parameters()).device
        ids, mask = tokens_of(self._tokenizer, texts, length=self._length)
        parts = zip(torch.split(ids, AT_ONCE), torch.split(mask, AT_ONCE), strict=True)
        return torch.cat([self.text(ids.to(device), mask.to(device)) for ids, mask in parts])

    def cut(self, texts: Sequence[str]) -> int:
        """Return the number of texts that are cut to the length in tokens."""
        return sum(len(self._tokenizer.encode(text)) > self._length for text in texts)
