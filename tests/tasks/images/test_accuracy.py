"""Accuracy: its interval, and the accuracy of guessing."""

from dataclasses import replace

import pytest
import torch

from diswot.tasks.images import Top1, load_data


@pytest.mark.parametrize(
    ("correct", "total", "classes", "near"),
    [(100, 1000, 10, True), (200, 1000, 10, False), (2, 4, 2, True), (30, 1000, 100, True)],
)
def test_near_chance_depends_on_the_number_of_images(
    correct: int, total: int, classes: int, near: bool
) -> None:
    digits = load_data("digits")
    data = replace(digits, spec=replace(digits.spec, num_classes=classes))
    right = (torch.arange(total) < correct).double()
    assert Top1().is_near_chance(right, data, "test") is near
