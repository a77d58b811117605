"""Class weights and balanced sampling of imbalanced data."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional as F

import diswot
from diswot.errors import DiswotError, OptionError, RunFolderError
from diswot.losses import ce_loss
from diswot.tasks import class_labels, class_weights, find_task
from diswot.tasks.images import ImageData
from diswot.training import Batches, Recipe, distill
from diswot.training._balance import balance_of
from search_spaces import CifarResNet


@pytest.fixture(scope="module")
def images() -> list[tuple[torch.Tensor, int]]:
    """Return 120 images, of which nine in ten are of class 0."""
    drawn = torch.Generator().manual_seed(0)
    return [(torch.rand(1, 8, 8, generator=drawn), int(n % 10 == 0)) for n in range(120)]


@pytest.fixture(scope="module")
def data(images: list[tuple[torch.Tensor, int]]) -> ImageData:
    return diswot.load_data(images)


def batches_of(data: ImageData, recipe: Recipe) -> Batches:
    """Return the training batches of a recipe."""
    examples = data.size("train")
    balance = balance_of(data, recipe, examples=examples)
    return Batches(examples, data.training(recipe), recipe, balance=balance)


def network() -> nn.Module:
    torch.manual_seed(0)
    return CifarResNet((1, 1, 1), num_classes=2, in_channels=1, widths=(4, 4, 4, 4))


def test_weights_are_those_of_scikit_learn() -> None:
    labels = np.random.default_rng(0).choice(4, size=200, p=[0.6, 0.2, 0.15, 0.05])
    expected = compute_class_weight("balanced", classes=np.arange(4), y=labels)
    found = class_weights(torch.as_tensor(labels), 4)
    assert found.numpy() == pytest.approx(expected, rel=1e-6)
    assert class_weights(torch.tensor([0, 0, 2]), 3).tolist() == [0.5, 0.0, 1.0]


def test_weighted_targets_give_the_weighted_cross_entropy(data: ImageData) -> None:
    batches = batches_of(data, Recipe(1, class_weights="balanced"))
    batch = next(batches.epoch(0, [0]))
    assert batch.labels is not None
    logits = torch.randn(len(batch), 2)
    weights = class_weights(class_labels(data, "train"), 2)
    expected = F.cross_entropy(logits, F.one_hot(batch.labels, 2).float(), weight=weights)
    assert torch.allclose(ce_loss(logits, batch.targets), expected)


def test_balanced_sampling_draws_classes_equally_often(data: ImageData) -> None:
    batches = batches_of(data, Recipe(1, batch_size=8, sampling="balanced"))
    labels = class_labels(data, "train")
    drawn = torch.cat([batches.order(epoch).flatten() for epoch in range(20)])
    counts = Counter(labels[drawn].tolist())
    assert 0.4 < counts[1] / len(drawn) < 0.6
    assert torch.equal(batches.order(3), batches.order(3)), "the order depends on seed and epoch"


def test_settings_that_are_off_change_nothing(data: ImageData) -> None:
    plain = Recipe(1, batch_size=8)
    assert not {"class_weights", "sampling"} & plain.to_json().keys()
    batch = next(batches_of(data, plain).epoch(0, [0]))
    assert batch.targets.sum(1).tolist() == [1.0] * 8


def test_training_resumes_with_the_same_settings_only(data: ImageData, tmp_path: object) -> None:
    options: dict[str, Any] = {"epochs": 1, "train_batch_size": 16, "augment": "none"}
    out = f"{tmp_path}/out"
    trained = distill(
        network(),
        None,
        data=data,
        loss="alone",
        out=out,
        class_weights="balanced",
        sampling="balanced",
        **options,
    )
    assert len(trained.history) == 1
    with pytest.raises((RunFolderError, OptionError)):
        distill(network(), None, data=data, loss="alone", out=out, **options)


def test_data_without_classes_are_refused() -> None:
    landmarks = find_task("landmarks").load("digit-outlines")
    with pytest.raises(OptionError, match="need one class for each example"):
        class_labels(landmarks, "train")


def test_an_unknown_way_of_balancing_is_refused() -> None:
    with pytest.raises(DiswotError, match="balanced"):
        distill(network(), None, data="digits", loss="alone", epochs=1, sampling="balance")
