"""Read signatures and measures from records, including those of DisWOT 0.1.0."""

import math
from collections.abc import Mapping
from typing import Any

from diswot.tasks._measure import Measure
from diswot.tasks._tasks import find_task
from search_spaces import Signature

MOST = 1_000_000
"""Upper limit of an input's axis and of the number of outputs in a record."""

MOST_NUMBERS = 100_000_000
"""Upper limit of the number of values of one input in a record."""


def read_signature(record: Mapping[str, Any]) -> Signature:
    """Return the signature in a record, such as a manifest's `data`.

    Raises:
        KeyError: there is none, or a value is missing.
        TypeError: a value has the wrong type.
        ValueError: a value is invalid, or implausibly large.

    Examples:
        >>> images = {"shape": [1, 8, 8], "num_classes": 10, "mean": [0], "std": [1], "scale": 16}
        >>> read_signature({"images": images}).describe()
        'images 1×8×8'
    """
    return _checked(Signature.from_json(_upgraded(record, "signature")["signature"]))


def read_measures(record: Mapping[str, Any]) -> dict[str, Measure]:
    """Return the measures in a row of a run's final table, by loss.

    Raises:
        KeyError: there are none, or a value is missing.
        TypeError: a value has the wrong type.
        ValueError: a value is invalid.
    """
    result = _upgraded(record, "measures")["measures"]
    return {str(loss): Measure.from_json(item) for loss, item in result.items()}


def with_measures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a training's report in the present form, with measures under `val` and `metrics`.

    Raises:
        KeyError: there are no measures.
        TypeError: a measure is not a number.
        ValueError: a measure is text.

    Examples:
        >>> report = with_measures({"val_accuracy": 0.9, "metrics": {"loss": "alone"}})
        >>> Measure.from_json(report["val"]).brief
        '90.0 %'
    """
    return _upgraded(report, "val")


def _upgraded(record: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    """Convert a record of version 0.1.0, which only had image classification, if necessary."""
    return record if entry in record else find_task().upgraded(record)


def _checked(signature: Signature) -> Signature:
    """Check that a signature is plausible, so that a damaged record cannot exhaust memory."""
    axes = [
        (spec.name, axis) for spec in signature.inputs for axis in spec.shape if axis is not None
    ]
    for name, number in (*axes, ("outputs", signature.outputs)):
        if type(number) is not int or not 1 <= number <= MOST:
            raise ValueError(f"Expected {name} to be from 1 to {MOST:,}, but got {number!r}")
    for spec in signature.inputs:
        if (numbers := math.prod(axis or 1 for axis in spec.shape)) > MOST_NUMBERS:
            raise ValueError(
                f"Expected {spec.name} of at most {MOST_NUMBERS:,} numbers, but got {numbers:,}"
            )
    return signature
