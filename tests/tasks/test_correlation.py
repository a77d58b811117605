"""The Matthews correlation: its value, its interval, and differences."""

from dataclasses import dataclass
from typing import cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef
from torch import Tensor

from diswot.tasks import Batch, Dataset, Matthews, SplitName


@dataclass
class Labeled:
    """A dataset that has only labels."""

    labels: Tensor

    def size(self, split: SplitName) -> int:
        return len(self.labels)

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        labels = self.labels[indices]
        return Batch((labels,), labels, labels, indices)


def dataset_of(labels: list[int]) -> Dataset:
    return cast(Dataset, Labeled(torch.tensor(labels)))


pairs = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@pytest.mark.filterwarnings("ignore:A single label was found")
@given(pairs)
def test_the_value_equals_scikit_learn(found: list[tuple[int, int]]) -> None:
    labels, predicted = ([pair[place] for pair in found] for place in (0, 1))
    measure = Matthews().summarize(torch.tensor(predicted), dataset_of(labels), "test")
    assert measure.value == pytest.approx(matthews_corrcoef(labels, predicted), abs=1e-12)
    assert measure.low <= measure.value <= measure.high


def test_values_are_predicted_classes() -> None:
    output = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    batch = Batch((output,), None, None, torch.arange(2))
    assert Matthews().values(output, batch).tolist() == [1, 0]


def test_guessing_is_near_chance_and_correct_predictions_are_not() -> None:
    labels = [0, 1, 2] * 40
    dataset = dataset_of(labels)
    guessed = torch.randint(3, (120,), generator=torch.Generator().manual_seed(0)).double()
    assert Matthews().is_near_chance(guessed, dataset, "test")
    assert Matthews().is_near_chance(torch.zeros(120), dataset, "test")
    assert not Matthews().is_near_chance(torch.tensor(labels).double(), dataset, "test")


def test_the_interval_is_narrower_for_more_examples() -> None:
    widths = []
    for times in (10, 100):
        labels, predicted = [0, 1, 1, 0, 2] * times, [0, 1, 0, 0, 2] * times
        found = Matthews().summarize(torch.tensor(predicted), dataset_of(labels), "val")
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


def test_differences_are_paired_by_example() -> None:
    labels = [0, 1] * 50
    truth, dataset = torch.tensor(labels).double(), dataset_of(labels)
    worse = truth.clone()
    worse[:20] = 1 - worse[:20]
    found = Matthews().difference(truth, worse, dataset, "test")
    assert found.value == pytest.approx(1 - matthews_corrcoef(labels, worse.long().tolist()))
    assert 0 < found.low < found.value < found.high
    assert Matthews().difference(worse, worse, dataset, "test").value == 0
    with pytest.raises(ValueError, match="same examples"):
        Matthews().difference(truth, worse[:3], dataset, "test")
