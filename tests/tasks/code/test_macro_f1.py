"""Macro F1: against scikit-learn, intervals, differences and chance."""

import pytest
import torch
from sklearn.metrics import f1_score

from diswot.tasks import MacroF1, TokenSplit
from diswot.tasks.code import CodeData


def with_labels(programs: CodeData, labels: torch.Tensor) -> CodeData:
    from dataclasses import replace

    count = len(labels)
    tokens = torch.zeros(count, programs.length, dtype=torch.int64)
    split = TokenSplit(tokens, torch.ones(count, dtype=torch.int64), labels)
    return replace(programs, test=split, classes=("a", "b", "c"))


@pytest.fixture
def data(programs: CodeData) -> CodeData:
    torch.manual_seed(0)
    return with_labels(programs, torch.randint(3, (200,)))


def test_the_value_is_that_of_scikit_learn(data: CodeData) -> None:
    labels, guesses = data.class_labels("test"), torch.randint(3, (200,))
    mixed = torch.where(torch.rand(200) < 0.7, labels, guesses).double()
    found = MacroF1().summarize(mixed, data, "test")
    assert found.value == pytest.approx(f1_score(labels, mixed, average="macro"))
    assert 0 < found.low < found.value < found.high < 1
    difference = MacroF1().difference(mixed, guesses.double(), data, "test")
    other = f1_score(labels, guesses, average="macro")
    assert difference.value == pytest.approx(found.value - other)
    assert 0 < difference.low < difference.value < difference.high


def test_a_network_is_not_better_than_itself(data: CodeData) -> None:
    guesses = torch.randint(3, (200,)).double()
    found = MacroF1().difference(guesses, guesses, data, "test")
    assert (found.low, found.value, found.high) == (0, 0, 0)


def test_constant_and_random_predictions_are_near_chance(data: CodeData) -> None:
    metric, labels = MacroF1(), data.class_labels("test")
    assert metric.is_near_chance(torch.zeros(200).double(), data, "test")
    assert metric.is_near_chance(torch.randint(3, (200,)).double(), data, "test")
    assert not metric.is_near_chance(labels.double(), data, "test")
