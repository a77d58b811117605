"""Labeled texts that are small."""

from pathlib import Path

import pytest

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
