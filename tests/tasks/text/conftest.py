"""Small labeled texts, and a small encoder for them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from diswot.tasks.text import TextData, load_texts
from search_spaces import TextEncoder

PAIRS = [
    (f"{subject} {verb} {place}.", label)
    for label, verb in (("calm", "rests"), ("wild", "storms"))
    for subject in ("The sea", "A cat", "Our king", "This wind", "Her song")
    for place in ("here", "far away", "in the north")
]
"""Thirty texts of two classes, each once."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return an empty data root."""
    place = tmp_path / "data"
    place.mkdir()
    return place


@pytest.fixture
def data(root: Path) -> TextData:
    """Return `PAIRS` as texts of 8 tokens."""
    return load_texts(PAIRS, root=root, length=8)


def encoder_for(data: TextData, **changes: Any) -> TextEncoder:
    """Return an encoder of one layer for texts of 8 tokens in two classes.

    Args:
        data: the texts.
        **changes: other arguments of `TextEncoder`.
    """
    sizes = {"layers": 1, "hidden": 8, "heads": 2, "head_size": 4, "ratio": 2}
    torch.manual_seed(0)
    return TextEncoder(
        vocabulary=data.tokenizer.vocabulary, length=8, outputs=2, **(sizes | changes)
    )
