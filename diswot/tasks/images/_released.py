"""Compatibility with version 0.1.0, which supported images only."""

from collections.abc import Mapping
from typing import Any

from diswot.tasks._measure import Measure
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec
from search_spaces import Signature, TensorSpec

RELEASED = {"ImageData": ImageData, "ImageSpec": ImageSpec}
"""Names that were exported by `diswot` itself."""


def upgraded(record: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a record of version 0.1.0 to the current names of signature and measures.

    Args:
        record: `data` of a manifest, a calibration, a training's report, or a row of a run's
            results.

    Raises:
        KeyError: an entry is missing.
        TypeError: an entry has the wrong type.
        ValueError: an entry has an invalid value.
    """
    results = dict(record)
    if "images" in record:
        results["signature"] = _signature(record["images"], **_normalization(record["images"]))
    elif "num_classes" in record:  # a calibration
        results["signature"] = _signature(record)
    if "accuracies" in record:
        results["measures"] = {
            loss: _accuracy(item["rate"], item["interval"])
            for loss, item in record["accuracies"].items()
        }
    if "val_accuracy" in record:  # its interval was not written
        results["val"] = _accuracy(float(record["val_accuracy"]), (0.0, 1.0))
        results["metrics"] = _metrics(dict(record["metrics"]))
    return results


def _signature(images: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    channels, height, width = images["shape"]
    spec = TensorSpec("images", (channels, height, width))
    return Signature((spec,), images["num_classes"], facts).to_json()


def _normalization(images: Mapping[str, Any]) -> dict[str, Any]:
    mean, std = ([float(value) for value in images[name]] for name in ("mean", "std"))
    if not len(mean) == len(std) == images["shape"][0]:
        raise ValueError(f"Expected a mean and a deviation of {images['shape'][0]!r} channels")
    return {"mean": mean, "std": std, "scale": float(images["scale"])}


def _metrics(metrics: dict[str, Any]) -> dict[str, Any]:
    if {"test_accuracy", "test_accuracy_95", "test_images"} <= metrics.keys():
        rate, interval = metrics.pop("test_accuracy"), metrics.pop("test_accuracy_95")
        metrics["test"] = _accuracy(rate, interval, metrics.pop("test_images"))
    metrics.pop("teacher_test_accuracy", None)
    return metrics


def _accuracy(rate: Any, interval: Any, examples: Any = 1) -> dict[str, Any]:
    low, high = interval
    return Measure("accuracy", rate, low, high, examples, unit="%").to_json()
