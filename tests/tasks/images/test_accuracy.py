"""Accuracy: its interval, and the accuracy of guessing."""

from dataclasses import replace

import pytest
import torch

from diswot.tasks.images import Split, Top1, load_data


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


@pytest.mark.parametrize(("correct", "near"), [(900, True), (950, False)])
def test_the_most_frequent_class_alone_is_near_chance(correct: int, near: bool) -> None:
    digits = load_data("digits")
    labels = (torch.arange(1000) >= 900).long()
    unequal = Split(digits.test.images[:1].expand(1000, -1, -1, -1), labels)
    data = replace(digits, test=unequal)
    right = (torch.arange(1000) < correct).double()
    assert Top1().is_near_chance(right, data, "test") is near
