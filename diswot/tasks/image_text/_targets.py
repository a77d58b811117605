"""Targets of losses and metrics: classes, and their text embeddings in every language."""

from collections.abc import Mapping
from typing import TypedDict

from torch import Tensor


class Targets(TypedDict, total=False):
    """Targets of a batch of B images.

    Attributes:
        labels: class of every image (B,).
        texts: language → text embedding of every class (N, D), of length one, the language of
            training first; missing without a teacher.
    """

    labels: Tensor
    texts: Mapping[str, Tensor]
