"""Metrics per class agree with those of scikit-learn."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from diswot.tasks import ClassMetrics

LABELS = np.random.default_rng(0).choice(4, size=300, p=[0.6, 0.25, 0.1, 0.05])
PREDICTED = np.where(np.random.default_rng(1).random(300) < 0.3, 0, LABELS)


@pytest.fixture
def metrics() -> ClassMetrics:
    labels, predicted = torch.as_tensor(LABELS), torch.as_tensor(PREDICTED)
    return ClassMetrics.of(labels, predicted, classes=4, names=["a", "b", "c", "d"])


def test_averages_over_classes_agree_with_scikit_learn(metrics: ClassMetrics) -> None:
    expected = balanced_accuracy_score(LABELS, PREDICTED)
    assert metrics.balanced_accuracy.value == pytest.approx(expected)
    assert metrics.macro_f1.value == pytest.approx(f1_score(LABELS, PREDICTED, average="macro"))
    assert (metrics.matrix == confusion_matrix(LABELS, PREDICTED)).all()


def test_metrics_of_each_class_agree_with_scikit_learn(metrics: ClassMetrics) -> None:
    found = np.array([[row.precision, row.recall, row.f1, row.examples] for row in metrics.rows])
    expected = np.array(precision_recall_fscore_support(LABELS, PREDICTED)).T
    assert found == pytest.approx(expected)
    assert [row.name for row in metrics.rows] == ["a", "b", "c", "d"]


def test_intervals_contain_the_value_and_shrink_with_examples(metrics: ClassMetrics) -> None:
    labels, predicted = torch.as_tensor(LABELS).repeat(9), torch.as_tensor(PREDICTED).repeat(9)
    larger = ClassMetrics.of(labels, predicted, classes=4)
    for few, many in (
        (metrics.balanced_accuracy, larger.balanced_accuracy),
        (metrics.macro_f1, larger.macro_f1),
    ):
        assert few.low < few.value < few.high
        assert (many.high - many.low) == pytest.approx((few.high - few.low) / 3, rel=0.25)


def test_classes_without_examples_or_predictions_are_left_out() -> None:
    found = ClassMetrics.of(torch.tensor([0, 0]), torch.tensor([0, 1]), classes=3)
    assert found.balanced_accuracy.value == 0.5
    assert found.macro_f1.value == pytest.approx(1 / 3)
    assert (found.rows[2].precision, found.rows[2].recall, found.rows[2].f1) == (None, None, None)


def test_averages_are_0_when_no_prediction_is_correct() -> None:
    found = ClassMetrics.of(torch.tensor([0, 1]), torch.tensor([1, 0]), classes=2)
    assert (found.balanced_accuracy.value, found.macro_f1.value) == (0, 0)


def test_json_values_are_read_again(metrics: ClassMetrics) -> None:
    values = json.loads(json.dumps(metrics.to_json()))
    assert ClassMetrics.from_json(values) == metrics


@pytest.mark.parametrize("cells", [[], [[0, 4, 1]], [[0, 0, 0]], [[-1, 0, 2]]])
def test_an_invalid_matrix_is_refused(metrics: ClassMetrics, cells: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="not valid"):
        ClassMetrics.from_json({**metrics.to_json(), "confusion": cells})
