"""The config, classes and preprocessing of exported image towers."""

import json
from pathlib import Path
from typing import Any

from diswot.tasks._image_file import fitted
from diswot.tasks._packaging import Packaging, describes, source_of
from diswot.tasks._task import Dataset
from diswot.tasks.image_text._image_text_data import ImageTextData
from diswot.tasks.image_text._losses import TEMPERATURE
from search_spaces import Signature

CLASSES = "classes.json"
"""File with names and text embeddings of the classes."""

_DIGITS = 6
_DEPTH = 16
"""Bits of gray images of more than 8 bits."""


def packaging(signature: Signature, dataset: Dataset | None) -> Packaging:
    """Return config, files and templates of an exported image tower.

    Args:
        signature: signature of the student.
        dataset: data with the teacher's text embeddings; without them, `predict.py` prints
            embeddings.

    Raises:
        ExportError: the signature is not that of an image tower.
    """
    with describes(signature, "images with their normalization"):
        config = _config(signature)
    texts = _classes(dataset) if isinstance(dataset, ImageTextData) and dataset.texts else None
    config["texts"] = texts is not None
    files = {}
    if texts is not None:
        files[CLASSES] = (json.dumps(texts, ensure_ascii=False), "names and texts of the classes")
    return Packaging(
        signature,
        config,
        pipeline_tag="zero-shot-image-classification",
        output="embedding",
        predicts="opens a photo and prints its class",
        templates=Path(__file__).with_name("templates"),
        values={"reader": source_of(fitted)},
        files=files,
    )


def _config(signature: Signature) -> dict[str, Any]:
    """Return preprocessing as plain values.

    Raises:
        KeyError: the signature lacks an entry of image-text data.
        ValueError: the inputs are not one image.
    """
    facts, (images,) = signature.facts, signature.inputs
    channels, height, width = images.shape
    return {
        "shape": [channels, height, width],
        "embedding": signature.outputs,
        "temperature": TEMPERATURE,
        "languages": list(facts["languages"]),
        **{name: facts[name] for name in ("mean", "std", "scale")},
        "preprocessing": {
            "photo": channels in (1, 3),
            "color": {1: "grayscale", 3: "RGB"}.get(channels or 0, f"{channels} channels"),
            "depth": _DEPTH,
            "orientation": "upright, as EXIF data say",
            "transparency": "composited on white",
            "fit": "the shorter side fits, the aspect ratio is kept, the center is cut out",
            "interpolation": "bilinear",
            "antialias": True,
            "formula": "(value / scale - mean) / std, per channel",
            "layout": "NCHW",
            "dtype": "float32",
        },
    }


def _classes(data: ImageTextData) -> dict[str, Any]:
    """Return names and text embeddings of all classes by language, the seen ones first."""
    names = data.seen.joined(data.unseen)
    return {
        "seen": len(data.seen),
        "names": {language: list(names.by_language[language]) for language in names.languages},
        "texts": {
            language: [
                [round(value, _DIGITS) for value in row]
                for group in ("seen", "unseen")
                for row in data.texts[group][language].tolist()
            ]
            for language in names.languages
        },
    }
