"""The config and preprocessing of exported landmark networks."""

from pathlib import Path
from typing import Any

from diswot.tasks._packaging import Packaging, describes, source_of
from diswot.tasks._task import Dataset
from diswot.tasks.landmarks._nme import NAMES
from diswot.tasks.landmarks._points import PIXEL_CENTER
from diswot.tasks.landmarks._square import square_around, squared
from search_spaces import Signature


def packaging(signature: Signature, _dataset: Dataset | None) -> Packaging:
    """Return config, templates and metadata of an exported landmark network.

    Args:
        signature: signature of the student.

    Raises:
        ExportError: the signature is not that of a network for landmarks.
    """
    with describes(signature, "images with points"):
        config = _config(signature)
    return Packaging(
        signature,
        config,
        pipeline_tag="keypoint-detection",
        output="coordinates",
        predicts="opens a photo and prints its points",
        templates=Path(__file__).with_name("templates"),
        values={"reader": source_of(squared) + source_of(square_around)},
    )


def _config(signature: Signature) -> dict[str, Any]:
    """Return preprocessing and postprocessing as plain values.

    Raises:
        KeyError: the signature lacks an entry of landmark data.
        ValueError: an entry is invalid.
    """
    facts, (images,) = signature.facts, signature.inputs
    channels, height, width = images.shape
    if signature.outputs % 2:
        raise ValueError(f"{signature.outputs} outputs are not pairs of coordinates")
    return {
        "shape": [channels, height, width],
        "points": signature.outputs // 2,
        "normalizer": NAMES[facts["normalizer"]],
        **{name: facts[name] for name in ("mean", "std", "scale")},
        "preprocessing": {
            "photo": channels in (1, 3) and height == width,
            "color": {1: "grayscale", 3: "RGB"}.get(channels or 0, f"{channels} channels"),
            "orientation": "upright, as EXIF data say",
            "transparency": "composited on white",
            "margin": facts["crop"],
            "fill": "black",
            "interpolation": "bilinear",
            "antialias": True,
            "formula": "(value / scale - mean) / std, per channel",
            "layout": "NCHW",
            "dtype": "float32",
        },
        "postprocessing": {
            "coordinates": "x / width - 1/2 and y / height - 1/2 of each point",
            "pixel_center": PIXEL_CENTER,
        },
    }
