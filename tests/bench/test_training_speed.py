"""The benchmark of the training loop, as small as it can be."""

import pytest

from benchmarks.training_speed import TrainingSpeedSettings, training_speed
from diswot.progress import silent

pytestmark = pytest.mark.slow


def test_each_level_of_augmentation_has_a_row_of_ratios() -> None:
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
