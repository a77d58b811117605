"""The config and preprocessing of exported image classifiers."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from diswot.tasks._image_file import fitted
from diswot.tasks._packaging import Packaging, describes, source_of
from diswot.tasks._task import Dataset
from diswot.tasks.images._image_data import ImageData
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images._pseudo_labels import CLASSES_OF
from search_spaces import Signature

_SAMPLE = 10_000
"""Number of images from which the range of values is determined."""


def packaging(signature: Signature, dataset: Dataset | None) -> Packaging:
    """Return config, templates and metadata of an exported image classifier.

    Args:
        signature: signature of the student.
        dataset: data on which it was trained, if known.

    Raises:
        ExportError: the signature is not that of a classifier of images.
    """
    with describes(signature, "images with their normalization"):
        images = ImageSpec.from_signature(signature)
    data = dataset if isinstance(dataset, ImageData) else None
    config = {
        **asdict(images),
        "preprocessing": preprocessing(images, data),
    }
    if data is not None:
        config["classes"] = data.classes
    if CLASSES_OF in signature.facts:
        config[CLASSES_OF] = signature.facts[CLASSES_OF]
    return Packaging(
        signature,
        config,
        pipeline_tag="image-classification",
        output="logits",
        predicts="opens a photo and prints its class",
        templates=Path(__file__).with_name("templates"),
        values={"images": images, "reader": source_of(fitted)},
    )


def preprocessing(images: ImageSpec, data: ImageData | None) -> dict[str, Any]:
    """Return the preprocessing of images for the student, as plain values.

    Image files are decoded like those of a folder. If the dataset's values are not 8-bit pixels,
    values in [0, 1] are taken as pixels divided by 255; for others the preprocessing is unknown
    and `photo` is false.

    Args:
        images: spec of the student's images.
        data: data on which it was trained, if known.
    """
    channels, height, width = images.shape
    low, high, divisor = _values(images, data)
    return {
        "photo": divisor is not None and channels in (1, 3),
        "color": {1: "grayscale", 3: "RGB"}.get(channels, f"{channels} channels"),
        "depth": 16 if data is None else data.depth,
        "orientation": "upright, as EXIF data say",
        "transparency": "composited on white",
        "resize": {
            "height": height,
            "width": width,
            "fit": "the shorter side fits, the aspect ratio is kept",
            "interpolation": "bilinear",
            "antialias": True,
        },
        "crop": "center",
        "value_range": None if low is None else [low, high],
        "pixel_divisor": divisor,
        "scale": images.scale,
        "mean": list(images.mean),
        "std": list(images.std),
        "formula": "(value / scale - mean) / std, per channel",
        "layout": "NCHW",
        "dtype": "float32",
    }


def _values(
    images: ImageSpec, data: ImageData | None
) -> tuple[float | None, float | None, float | None]:
    """Return minimum, maximum, and the divisor of 8-bit pixels; `None` if unknown."""
    if data is None and images.scale != 255:
        return None, None, None
    if data is None or (data.train.images.dtype, images.scale) == (torch.uint8, 255):
        return 0.0, 255.0, 1.0
    sample = data.train.images[:: -(-len(data.train) // _SAMPLE)]
    low, high = float(sample.min()), float(sample.max())
    largest = images.scale  # pixel datasets are scaled by their maximum
    if low >= 0 and high <= largest and largest in (1, 255):
        return 0.0, largest, 255 / largest
    return low, high, None
