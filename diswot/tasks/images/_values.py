"""Inference of the pixel range of datasets, with notes on unusual ranges."""

from collections.abc import Mapping

import torch
from torch import Tensor

from diswot.errors import DataError

_BYTE, _WORD = 255.0, 65_535.0
_RATHER_BYTES = 16
"""Floats whose maximum is above this are taken as 8-bit values."""


def in_range(splits: Mapping[str, Tensor], name: str) -> tuple[dict[str, Tensor], float, list[str]]:
    """Return split → images as uint8 or float, the divisor of their values, and notes.

    Args:
        splits: split → images (n, C, H, W).
        name: name of the dataset, for messages.

    Raises:
        DataError: values are not finite, or the splits differ in type or range.
    """
    if len(kinds := {str(images.dtype).removeprefix("torch.") for images in splits.values()}) > 1:
        raise DataError(
            f"{name} has images of {' and '.join(sorted(kinds))} in its splits: "
            "convert all in the same way"
        )
    for split, images in splits.items():
        _check_finite(images, f"{split} images of {name}")
    (kind,) = kinds
    if kind == "bool":
        return {s: images.to(torch.uint8) * 255 for s, images in splits.items()}, _BYTE, []
    ranges = {split: _range(images) for split, images in splits.items()}
    low, high = min(r[0] for r in ranges.values()), max(r[1] for r in ranges.values())
    message = f"pixel values of {kind} from {low:g} to {high:g}"
    if kind == "uint8":
        return dict(splits), _BYTE, [f"{message} only"] if high < _RATHER_BYTES else []
    if next(iter(splits.values())).is_floating_point():
        _check_same_range(ranges, name)
        wide = {
            s: images.float() if images.itemsize < 4 else images for s, images in splits.items()
        }
        return (wide, *_float_scale(low, high, message))
    # Integers of other types: 8-bit values, 16-bit values, or unknown.
    if low >= 0 and high <= _BYTE:
        bytes_ = {split: images.to(torch.uint8) for split, images in splits.items()}
        return bytes_, _BYTE, [f"{message}, taken as 8-bit"]
    floats = {split: images.float() for split, images in splits.items()}
    if low >= 0 and high <= _WORD:
        return floats, _WORD, [f"{message}, taken as 16-bit"]
    return floats, 1.0, [f"{message}, taken as they are (from 0 to 255 is usual)"]


def _float_scale(low: float, high: float, message: str) -> tuple[float, list[str]]:
    if low >= 0 and high <= 1:
        return 1.0, []
    if low >= 0 and _RATHER_BYTES < high <= _BYTE:
        return _BYTE, [f"{message}, taken as 8-bit (divided by 255)"]
    return 1.0, [f"{message}, taken as they are (from 0 to 1 is usual)"]


def _range(images: Tensor) -> tuple[float, float]:
    values = images if images.is_floating_point() or images.dtype == torch.uint8 else images.long()
    return float(values.min()), float(values.max())


def _check_finite(images: Tensor, what: str) -> None:
    if not images.is_floating_point():
        return
    bad = ~images.isfinite().flatten(1).all(dim=1)
    if count := int(bad.sum()):
        first = int(bad.nonzero()[0])
        raise DataError(
            f"{count:,} of {len(images):,} {what} have values that are not finite (NaN or "
            f"infinite), the first at {first:,}: replace or remove them"
        )


def _check_same_range(ranges: Mapping[str, tuple[float, float]], name: str) -> None:
    small = [split for split, (_, high) in ranges.items() if high <= 1]
    large = [split for split, (_, high) in ranges.items() if high > _RATHER_BYTES]
    if small and large:
        raise DataError(
            f"{name} has pixel values up to {ranges[small[0]][1]:g} in {small[0]} and up to "
            f"{ranges[large[0]][1]:g} in {large[0]}: scale all in the same way"
        )
