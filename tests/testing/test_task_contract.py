"""The contract check of tasks passes for the built-in ones and detects every violation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from diswot.tasks import SPLITS, TASKS, Batch, Dataset, Examples, Measure, find_task
from diswot.tasks.images import ImageData, Split, Top1, load_data
from diswot.testing import check_task
from search_spaces import Signature, TensorSpec


@pytest.mark.parametrize("name", TASKS)
def test_the_default_data_of_every_task_follow_the_contract(name: str) -> None:
    task = find_task(name)
    check_task(task.load(task.data))


@pytest.fixture(name="few", scope="module")
def fixture_few() -> ImageData:
    """Return a hundred digits."""
    data = load_data("digits")
    few: dict[str, Any] = {
        name: Split(data.split(name).images[:100], data.split(name).labels[:100]) for name in SPLITS
    }
    return replace(data, **few)


class Changed:
    """A dataset with a replaced method or attribute."""

    def __init__(self, dataset: Dataset, **changes: Any) -> None:
        self._dataset = dataset
        vars(self).update(changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)


class Lucky(Top1):
    """A metric for which nothing is near chance."""

    def is_near_chance(self, _values: Tensor, _dataset: Examples, _split: str, /) -> bool:
        return False


class Renamed(Top1):
    """A metric whose measure has another name."""

    def summarize(self, values: Tensor, dataset: Examples, split: Any, /) -> Measure:
        return replace(super().summarize(values, dataset, split), name="top-1")


def chance(data: ImageData) -> Callable[..., Batch]:
    def batch(split: Any, indices: Tensor, *, device: str = "cpu") -> Batch:
        found = data.batch(split, indices, device=device)
        return replace(found, inputs=(found.inputs[0] + torch.rand(()),))

    return batch


def in_order(data: ImageData) -> Callable[..., Batch]:
    return lambda split, indices, **_: data.batch(split, indices.sort().values)


def doubles(data: ImageData) -> Callable[..., Batch]:
    def batch(split: Any, indices: Tensor, **_: Any) -> Batch:
        found = data.batch(split, indices)
        return replace(found, inputs=(found.inputs[0].double(),))

    return batch


def never_fixed(data: ImageData) -> Callable[..., Any]:
    def training(changes: Any, **_: Any) -> Any:
        found = data.training(changes)
        return type("Batches", (), {"fixed": False, "__call__": lambda _, i: found(i)})()

    return training


BROKEN: dict[str, tuple[Callable[[ImageData], dict[str, Any]], str]] = {
    "digest": (lambda data: {"digest": "unknown"}, "digest is a SHA-256"),
    "chance": (lambda data: {"batch": chance(data)}, "the same whenever"),
    "order": (lambda data: {"batch": in_order(data)}, "keeps the places"),
    "type": (lambda data: {"batch": doubles(data)}, "images is float32"),
    "shape": (
        lambda data: {"signature": Signature((TensorSpec("images", (1, 8, 8)),), 10)},
        "images is float32 of shape",
    ),
    "inputs": (
        lambda data: {
            "signature": Signature((TensorSpec("a", (1, 16, 16)), TensorSpec("b", (1,))), 10)
        },
        "has 2 inputs, but has 1",
    ),
    "fixed": (lambda data: {"training": never_fixed(data)}, "without augmentation"),
    "metrics": (lambda data: {"metrics": ()}, "at least one metric"),
    "chance level": (lambda data: {"metrics": (Lucky(),)}, "near chance"),
    "name of a measure": (lambda data: {"metrics": (Renamed(),)}, "the name, unit"),
    "empty split": (lambda data: {"size": lambda split: 0}, "has examples"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_error_names_the_broken_rule_of_a_task(few: ImageData, what: str) -> None:
    changes, rule = BROKEN[what]
    dataset: Any = Changed(few, **changes(few))
    with pytest.raises(AssertionError, match=rule):
        check_task(dataset)


def test_the_unchanged_wrapper_follows_the_contract(few: ImageData) -> None:
    wrapped: Any = Changed(few)
    check_task(wrapped)
