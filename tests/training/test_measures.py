"""A training is evaluated with the metric of its data, higher or lower being better."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import diswot
from diswot.losses import TrainingBatch
from diswot.networks import Activations
from diswot.tasks import Examples, Measure, Metric, SplitName, Top1, find_task, values_of
from diswot.tasks.images import ImageData
from diswot.tasks.landmarks import LandmarkData
from diswot.training import METRICS, Recipe, parse_objective, read_metrics, train

SQUARES = "tests.training.test_measures:squares"
RECIPE = Recipe(epochs=3, batch_size=32, learning_rate=2.0, augment="none")
"""A rate at which errors grow in some epochs."""


def squares(student: Activations, _teacher: Activations, batch: TrainingBatch) -> Tensor:
    """Return the mean squared error; tasks without classes have no labels."""
    assert batch.labels.shape == (0,)
    return F.mse_loss(student.output, batch.targets)


@pytest.fixture(name="data", scope="module")
def fixture_data() -> LandmarkData:
    whole = find_task("landmarks").load("digit-outlines")
    assert isinstance(whole, LandmarkData)
    few = torch.arange(96)
    return replace(
        whole, train=whole.train.take(few), val=whole.val.take(few), test=whole.test.take(few)
    )


def regressor(data: LandmarkData) -> nn.Module:
    torch.manual_seed(0)
    channels, _, _ = data.shape
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, stride=2),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, data.signature.outputs),
    )


def test_the_epoch_with_the_lowest_error_is_selected(data: LandmarkData, tmp_path: Path) -> None:
    network = regressor(data)
    trained = train(
        network,
        data,
        objective=parse_objective(SQUARES),
        recipe=RECIPE,
        teachers={"tough": regressor(data)},
        folder=tmp_path,
    )
    errors = [epoch.val for epoch in trained.history]
    assert trained.val.value == min(errors) == errors[trained.best_epoch - 1]
    assert not trained.val.higher_is_better
    assert trained.test == data.metrics[0].measure(network, data, "test")
    with (tmp_path / METRICS).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_NME"]) for row in rows] == errors
    assert read_metrics(tmp_path) == trained.history


def test_shortlists_select_the_lower_error() -> None:
    low, high = (
        Measure("NME", value, 0.0, 1.0, 9, higher_is_better=False) for value in (0.04, 0.06)
    )
    assert low.merit > high.merit
    assert low.at_least_as_good_as(high)


class Overall(Top1):
    """An accuracy that is not computed example by example."""

    def measure(
        self, network: nn.Module, dataset: Examples, split: SplitName, *, device: str = "cpu"
    ) -> Measure:
        return super().measure(network, dataset, split, device=device)


class Images(ImageData):
    """Images with this metric."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (Overall(),)


def test_metrics_per_class_need_a_metric_per_example() -> None:
    digits = diswot.load_data("digits")
    trainings = []
    for data in (digits, Images(**vars(digits))):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(256, 10))
        recipe = Recipe(epochs=1, augment="none")
        trainings.append(train(network, data, objective=parse_objective("ce"), recipe=recipe))
    assert trainings[0].test == trainings[1].test
    assert trainings[0].classes is not None
    assert trainings[1].classes is None


def test_test_values_are_stored_with_their_metric(data: LandmarkData) -> None:
    network, metric = regressor(data), data.metrics[0]
    trained = train(
        network,
        data,
        objective=parse_objective(SQUARES),
        recipe=replace(RECIPE, epochs=1),
        teachers={"tough": regressor(data)},
    )
    assert trained.test_values is not None
    assert trained.test_values.equal(values_of(metric, network, data, "test"))
    assert trained.test == metric.summarize(trained.test_values, data, "test")
