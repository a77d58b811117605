"""Measures in reports of trainings, also in those that DisWOT 0.1.0 wrote."""

from collections.abc import Mapping
from typing import Any

from diswot.tasks._measure import Measure


def with_measures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a report of a training with its measures; 0.1.0 wrote accuracies as numbers.

    Raises:
        KeyError: there is none.
        TypeError: one is no number.
        ValueError: one is text.

    Examples:
        >>> report = with_measures({"val_accuracy": 0.9, "metrics": {"loss": "alone"}})
        >>> Measure.from_json(report["val"]).brief
        '90.0 %'
    """
    if "val_accuracy" not in report:
        return report
    val, metrics = float(report["val_accuracy"]), dict(report["metrics"])
    found = Measure("accuracy", val, 0.0, 1.0, 1, unit="%")  # its interval was not written
    if {"test_accuracy", "test_accuracy_95", "test_images"} <= metrics.keys():
        rate, (low, high) = metrics.pop("test_accuracy"), metrics.pop("test_accuracy_95")
        tested = Measure("accuracy", rate, low, high, metrics.pop("test_images"), unit="%")
        metrics["test"] = tested.to_json()
    metrics.pop("teacher_test_accuracy", None)
    return {**report, "val": found.to_json(), "metrics": metrics}
