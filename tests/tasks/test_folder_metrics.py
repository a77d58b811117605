"""Metrics of predictions for files whose folders name their classes."""

import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from diswot.tasks import folder_metrics

CLASSES = ("bird", "cat", "dog")


def answers(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"example": path, "label": label} for path, label in pairs]


def test_measures_agree_with_scikit_learn() -> None:
    true, found = ["bird", "cat", "cat", "dog"], ["cat", "cat", "bird", "dog"]
    predicted = [
        (f"new/{name}/{n}.jpg", label)
        for n, (name, label) in enumerate(zip(true, found, strict=True))
    ]
    metrics = folder_metrics(answers(*predicted), ["new"], CLASSES)
    assert metrics is not None
    accuracy, balanced, macro = metrics.measures
    assert (accuracy.value, accuracy.n) == (0.5, 4)
    assert balanced.value == pytest.approx(balanced_accuracy_score(true, found))
    assert macro.value == pytest.approx(f1_score(true, found, average="macro"))


def test_the_innermost_class_folder_below_the_given_one_counts() -> None:
    predicted = answers(("cat/new/dog/deep/1.jpg", "dog"), ("cat/new/2.jpg", "cat"))
    metrics = folder_metrics(predicted, ["cat/new"], CLASSES)
    assert metrics is not None
    assert (metrics.accuracy.value, metrics.accuracy.n, metrics.left) == (1.0, 1, 1)
    assert folder_metrics(predicted, ["cat/new/2.jpg"], CLASSES) is None


def test_without_known_classes_there_are_no_metrics() -> None:
    predicted = answers(("new/cat/1.jpg", "cat"))
    assert folder_metrics(predicted, ["new"], None) is None
    assert (
        folder_metrics([{"example": "new/cat/1.jpg", "error": "broken"}], ["new"], CLASSES) is None
    )
    assert folder_metrics([{"example": "new/cat/1.jpg", "labels": []}], ["new"], CLASSES) is None
