"""Signatures and measures in records, also in those that DisWOT 0.1.0 wrote."""

import math
from collections.abc import Mapping
from typing import Any

from diswot.tasks._measure import Measure
from diswot.tasks._tasks import find_task
from search_spaces import Signature

MOST = 1_000_000
"""Length of an input along an axis, and outputs, that a record can ask for."""

MOST_NUMBERS = 100_000_000
"""Numbers of one input that a record can ask for."""


def read_signature(record: Mapping[str, Any]) -> Signature:
    """Return the signature in a record, such as a manifest's `data`.

    Raises:
        KeyError: there is none, or something is missing in it.
        TypeError: something is of another type.
        ValueError: the values describe no signature, or one that no data can have.

    Examples:
        >>> images = {"shape": [1, 8, 8], "num_classes": 10, "mean": [0], "std": [1], "scale": 16}
        >>> read_signature({"images": images}).describe()
        'images 1×8×8'
    """
    return _checked(Signature.from_json(_upgraded(record, "signature")["signature"]))


def read_measures(record: Mapping[str, Any]) -> dict[str, Measure]:
    """Return the measures in a row of the closing table, by the loss.

    Raises:
        KeyError: there are none, or something is missing in one.
        TypeError: something is of another type.
        ValueError: a number is none that a measure can have.
    """
    found = _upgraded(record, "measures")["measures"]
    return {str(loss): Measure.from_json(each) for loss, each in found.items()}


def with_measures(report: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a report of a training with its measures under `val` and in `metrics`.

    Raises:
        KeyError: there is none.
        TypeError: one is no number.
        ValueError: one is text.

    Examples:
        >>> report = with_measures({"val_accuracy": 0.9, "metrics": {"loss": "alone"}})
        >>> Measure.from_json(report["val"]).brief
        '90.0 %'
    """
    return _upgraded(report, "val")


def _upgraded(record: Mapping[str, Any], entry: str) -> Mapping[str, Any]:
    """Return a record with an entry; 0.1.0 wrote others, of the one task that it had."""
    return record if entry in record else find_task().upgraded(record)


def _checked(found: Signature) -> Signature:
    """Return the signature, unless networks of it would take more memory than any data asks for."""
    axes = [(spec.name, axis) for spec in found.inputs for axis in spec.shape if axis is not None]
    for name, number in (*axes, ("outputs", found.outputs)):
        if type(number) is not int or not 1 <= number <= MOST:
            raise ValueError(f"Expected {name} to be from 1 to {MOST:,}, but got {number!r}")
    for spec in found.inputs:
        if (numbers := math.prod(axis or 1 for axis in spec.shape)) > MOST_NUMBERS:
            raise ValueError(
                f"Expected {spec.name} of at most {MOST_NUMBERS:,} numbers, but got {numbers:,}"
            )
    return found
