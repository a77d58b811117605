"""Conversion of dataset items, in any of the usual forms, to an image and a class."""

import dataclasses
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from diswot.errors import DataError, first_line

IMAGES = ("image", "img", "pixel_values", "images", "picture", "photo", "x")
LABELS = ("label", "labels", "fine_label", "target", "class", "category", "class_id", "y")
EXPECTED = (
    "(image, class) or dictionaries such as {'image': …, 'label': …}, with an image of "
    "Pillow, a tensor (C, H, W) or an array (H, W, C)"
)

_FEW_CHANNELS = (1, 3, 4)


class UnfitItemError(Exception):
    """An item is not an image with a class; the message describes the item."""


def divide_item(item: Any) -> tuple[Any, Any, str]:
    """Return image, label and form of an item; the form is empty if it needs no note.

    Raises:
        UnfitItemError: the item has no image or no label.
    """
    if isinstance(item, Mapping):
        return _by_name(item, "dictionaries")
    if dataclasses.is_dataclass(item) and not isinstance(item, type):
        fields = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
        return _by_name(fields, "records")
    if hasattr(item, "_asdict"):
        try:
            return _by_name(item._asdict(), "named tuples")
        except UnfitItemError:
            pass  # of other names, but perhaps in the usual order
    if isinstance(item, tuple | list) and len(item) >= 2:
        more = len(item) > 2
        return item[0], item[1], f"{len(item)} parts: image, class, others unused" if more else ""
    raise UnfitItemError(described(item))


def _by_name(item: Mapping[Any, Any], form: str) -> tuple[Any, Any, str]:
    keys = list(item)
    image = next((key for key in IMAGES if key in item), None)
    label = next((key for key in LABELS if key in item), None)
    if image is None:
        images = [key for key in keys if _may_be_image(item[key])]
        image = images[0] if len(images) == 1 else None
    if label is None:
        labels = [key for key in keys if key != image and isinstance(item[key], int | np.integer)]
        label = labels[0] if len(labels) == 1 else None
    if image is None or label is None:
        lacks = "image" if image is None else "class"
        names = ", ".join(map(repr, keys[:8]))
        raise UnfitItemError(f"{form} of {names}, none of which is a known name for the {lacks}")
    return item[image], item[label], f"{form}: image from {image!r}, class from {label!r}"


def _may_be_image(value: Any) -> bool:
    from PIL.Image import Image

    is_array = isinstance(value, Tensor | np.ndarray) and value.ndim >= 2
    return is_array or isinstance(value, Image | bytes)


def as_image(value: Any) -> Any:
    """Return an image as a PIL image or a tensor (C, H, W), copied from the dataset.

    Raises:
        UnfitItemError: `value` is not an image.
    """
    from PIL import Image

    if isinstance(value, Mapping) and "bytes" in value:
        value = value["bytes"]  # undecoded images of Hugging Face datasets
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return Image.open(io.BytesIO(value), formats=("BMP", "GIF", "JPEG", "PNG", "WEBP"))
        except Exception as error:  # damaged bytes can raise anything
            raise UnfitItemError(f"bytes that are not an image ({first_line(error)})") from error
    if isinstance(value, np.ndarray):
        return _from_array(value.copy())  # a dataset may use its buffer again
    if isinstance(value, Tensor):
        return _from_tensor(value.clone())
    raise UnfitItemError(f"an image that is {described(value)}")


def _from_array(array: np.ndarray[Any, Any]) -> Any:
    """Convert an array: uint8 (H, W) or (H, W, C) to a PIL image, else to a tensor."""
    from PIL import Image

    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.ndim == 3 and array.shape[0] in _FEW_CHANNELS and array.shape[2] in _FEW_CHANNELS:
        raise UnfitItemError(f"an array {array.shape}, whose channel axis is not known")
    is_last = array.ndim == 3 and array.shape[2] in _FEW_CHANNELS
    if array.dtype == np.uint8 and (is_last or array.ndim == 2):
        return Image.fromarray(array[..., 0] if is_last and array.shape[2] == 1 else array)
    if array.dtype.kind not in "uif" or array.ndim not in (2, 3):
        raise UnfitItemError(f"an array {array.shape} of {array.dtype}")
    ordered = array.transpose(2, 0, 1) if is_last else array
    native = np.array(ordered, dtype=ordered.dtype.newbyteorder("="))
    return _from_tensor(torch.from_numpy(native))


def _from_tensor(tensor: Tensor) -> Tensor:
    if tensor.ndim == 4 and len(tensor) == 1:  # as processors of transformers return them
        tensor = tensor[0]
    if tensor.ndim == 2:
        return tensor.unsqueeze(0)
    if tensor.ndim != 3 or tensor.is_complex() or tensor.numel() == 0:
        raise UnfitItemError(f"a tensor {tuple(tensor.shape)} of {tensor.dtype}")
    first, second, last = tensor.shape
    if last in (1, 3) and min(first, second) > max(_FEW_CHANNELS):
        return tensor.permute(2, 0, 1)
    return tensor


def described(value: Any) -> str:
    """Return a short description of a value, for messages."""
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} ({', '.join(described(part) for part in value[:4])})"
    return f"{type(value).__name__} {value!r:.40}"


class Collected:
    """Collects images of one shape into one tensor.

    If some are RGB, gray ones are converted to RGB.

    Args:
        count: number of images.
        name: name of the dataset, for messages.
    """

    def __init__(self, count: int, name: str) -> None:
        self._count, self._name = count, name
        self._images: Tensor | None = None
        self.gray = 0

    def put(self, place: int, image: Tensor) -> None:
        """Copy an image (C, H, W) to index `place`.

        Raises:
            DataError: the image has another shape or type than earlier ones.
        """
        if self._images is None:
            self._images = torch.empty((self._count, *image.shape), dtype=image.dtype)
        channels = self._images.shape[1]
        if (channels, len(image)) == (1, 3):
            self._images = self._images.repeat(1, 3, 1, 1)
            self.gray = place
        elif (channels, len(image)) == (3, 1):
            image = image.expand(3, -1, -1)
            self.gray += 1
        if image.shape != self._images.shape[1:] or image.dtype != self._images.dtype:
            raise DataError(
                f"Expected the images of {self._name} to be of one shape and type, but got item "
                f"{place:,} of {tuple(image.shape)} {image.dtype} after "
                f"{tuple(self._images.shape[1:])} {self._images.dtype}: resize and convert them "
                "in the dataset, or return PIL images"
            )
        self._images[place] = image

    def images(self) -> Tensor:
        """Return all images (n, C, H, W).

        Raises:
            DataError: there are no images.
        """
        if self._images is None:
            raise DataError(f"{self._name} has no items: give a dataset of images")
        return self._images
