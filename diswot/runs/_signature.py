"""The signature of what a record is of, also of records that DisWOT 0.1.0 wrote."""

import math
from collections.abc import Mapping
from typing import Any

from search_spaces import Signature, TensorSpec

MOST = 1_000_000
"""Length of an input along an axis, and outputs, that a record can ask for."""

MOST_NUMBERS = 100_000_000
"""Numbers of one input that a record can ask for."""


def read_signature(record: Mapping[str, Any]) -> Signature:
    """Return the signature in a record, under `signature`; under `images` in those of 0.1.0.

    Raises:
        KeyError: there is none, or something is missing in it.
        TypeError: something is of another type.
        ValueError: the values describe no signature, or one that no data can have.

    Examples:
        >>> images = {"shape": [1, 8, 8], "num_classes": 10, "mean": [0], "std": [1], "scale": 16}
        >>> read_signature({"images": images}).describe()
        'images 1×8×8'
    """
    if "signature" not in record:
        return _checked(_of_images(record["images"]))
    return _checked(Signature.from_json(record["signature"]))


def _of_images(values: Mapping[str, Any]) -> Signature:
    channels, height, width = values["shape"]
    mean, std = ([float(each) for each in values[name]] for name in ("mean", "std"))
    if not len(mean) == len(std) == channels:
        raise ValueError(f"Expected a mean and a deviation of {channels!r} channels")
    return Signature(
        (TensorSpec("images", (channels, height, width)),),
        values["num_classes"],
        {"mean": mean, "std": std, "scale": float(values["scale"])},
    )


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
