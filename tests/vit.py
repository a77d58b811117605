"""A small Hugging Face vision transformer in a folder, as written by `save_pretrained`."""

import importlib
from pathlib import Path
from typing import Any

import torch


def save_vit(folder: Path, *, side: int, classes: int, layers: int, mlp: int) -> Path:
    """Save an untrained classifier of square images with its preprocessing; return `folder`.

    Args:
        folder: created if it does not exist.
        side: side length of the images in pixels.
        classes: number of classes.
        layers: number of layers.
        mlp: width of the feed-forward layers.
    """
    transformers: Any = importlib.import_module("transformers")
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=mlp,
        image_size=side,
        patch_size=8,
        num_labels=classes,
    )
    torch.manual_seed(0)
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    size = {"height": side, "width": side}
    transformers.ViTImageProcessor(size=size).save_pretrained(folder)
    return folder
