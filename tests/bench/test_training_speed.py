"""The benchmark of the training loop with the smallest settings."""

import pytest

from benchmarks.training_speed import TrainingSpeedSettings, training_speed
from diswot.progress import silent

pytestmark = pytest.mark.slow


def test_every_augmentation_level_has_a_row() -> None:
    settings = TrainingSpeedSettings(
        augmentations=("none", "standard"),
        teacher="resnet20",
        student="1-1-1",
        batch_size=8,
        steps=1,
        rounds=1,
        data="digits",
        device="cpu",
    )
    rows = training_speed(settings, silent)
    assert [row.augment for row in rows] == ["none", "standard"]
    assert all(row.waiting > 0 and row.overhead > 0 for row in rows)
