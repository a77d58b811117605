"""Metrics on any dataset: one value per example, and a summary with an interval."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from diswot.errors import ForwardError
from diswot.tasks import (
    MOST_AT_ONCE,
    Batch,
    Examples,
    Measure,
    Metric,
    Source,
    SplitName,
    values_of,
)
from search_spaces import Signature, TensorSpec

SIZES = {"train": 3, "val": 0, "test": 2 * MOST_AT_ONCE + 7}


@dataclass
class Lines:
    """A dataset with numbers x as inputs and 2x as targets."""

    task: Any = None
    metrics: tuple[Metric, ...] = ()

    name: str = "lines"
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def signature(self) -> Signature:
        return Signature((TensorSpec("x", (1,)),), 1)

    @property
    def digest(self) -> str:
        return "0" * 64

    def size(self, split: SplitName) -> int:
        return SIZES[split]

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        x = indices[:, None].float()
        return Batch((x,), {"y": 2 * x}, None, indices).to(device)

    def training(self, changes: Any, *, device: str = "cpu", teachers: Any = None) -> Any:
        raise NotImplementedError

    def for_teacher(self, teacher: str) -> "Lines":
        return self

    def summary(self) -> str:
        return "lines"


class AbsoluteError(Metric):
    """Absolute distance from the target."""

    name = "error"
    unit = ""
    higher_is_better = False

    def is_near_chance(self, values: Tensor, dataset: Examples, split: SplitName) -> bool:
        return self.summarize(values, dataset, split).value > 1e6

    def values(self, output: Tensor, batch: Batch) -> Tensor:
        distance: Tensor = (output - batch.targets["y"]).abs().squeeze(1)
        return distance

    def summarize(self, values: Tensor, dataset: Examples, split: SplitName) -> Measure:
        mean = float(values.mean())
        return Measure(self.name, mean, mean, mean, dataset.size(split), higher_is_better=False)


class Echo(nn.Module):
    """The identity, so that the error of x is x; it records its mode and batches."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((len(x), self.training))
        return x


def test_every_example_has_one_value() -> None:
    network = Echo().train()
    found = values_of(AbsoluteError(), network, Lines(), "test")
    assert torch.equal(found, torch.arange(SIZES["test"]).double())
    assert network.seen == [(MOST_AT_ONCE, False), (MOST_AT_ONCE, False), (7, False)]


@pytest.mark.parametrize("of", [2, 3, 5])
def test_values_of_parts_of_a_split_concatenate_to_all(of: int) -> None:
    shares = [
        values_of(AbsoluteError(), Echo(), Lines(), "test", part=part, of=of) for part in range(of)
    ]
    assert torch.equal(sum(shares[1:], start=shares[0]), torch.arange(SIZES["test"]).double())
    assert all(int((share > 0).sum()) < SIZES["test"] - 1 for share in shares)


def test_a_measure_summarizes_the_values_of_a_split() -> None:
    found = AbsoluteError().measure(Echo(), Lines(), "train")
    assert found == Measure("error", 1.0, 1.0, 1.0, 3, higher_is_better=False)


def test_a_split_without_examples_has_no_values() -> None:
    assert len(values_of(AbsoluteError(), Echo(), Lines(), "val")) == 0


def test_the_error_names_the_class_of_a_failing_network() -> None:
    broken = nn.DataParallel(nn.Linear(2, 1))
    with pytest.raises(ForwardError, match="the network Linear raised RuntimeError"):
        values_of(AbsoluteError(), broken, Lines(), "train")
