"""Streamed photos, and a training on them that can run in another process."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from diswot.progress import Step
from diswot.tasks.images import ImageData, load_data
from diswot.training import Recipe, Training, parse_objective, train

WIDE, HIGH = 60, 48
RECIPE = Recipe(epochs=3, batch_size=4, learning_rate=0.01, augment="strong", mixup=0.2)


def write_photos(root: Path, count: int = 24) -> Path:
    """Write photos whose red channel gives the column of a pixel, and green the row."""
    for label, name in enumerate(("dark", "light")):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.empty((HIGH, WIDE, 3), np.uint8)
            pixels[..., 0] = np.linspace(0, 255, WIDE)
            pixels[..., 1] = np.linspace(0, 255, HIGH)[:, None]
            pixels[..., 2] = 100 * label + 5 * number % 100
            Image.fromarray(pixels).save(root / name / f"{number:02}.png")
    return root


def streamed(photos: Path, kept: Path, **options: Any) -> ImageData:
    """Load photos as streamed data."""
    return load_data(photos, root=kept, stream_above=0, **{"image_size": 16, **options})


class Small(nn.Module):
    """A network for photos of any size."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.conv = nn.Conv2d(3, 4, 3, stride=2)
        self.head = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.relu(self.conv(images)).mean(dim=(2, 3)))
        return logits


def training(data: ImageData, folder: Path | None = None, **options: Any) -> Training:
    """Train on photos, with a checkpoint at every log step."""
    settings: dict[str, Any] = {"recipe": RECIPE, "student": Small()} | options
    return train(
        settings.pop("student"),
        data,
        objective=parse_objective("ce"),
        folder=folder,
        checkpoint_minutes=0,
        **settings,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    photos, kept, out, workers = sys.argv[1:]

    def report(step: Step) -> None:
        sys.stdout.write(f"{step.stage} {step.done}\n")
        sys.stdout.flush()

    loaded = replace(streamed(Path(photos), Path(kept)), loader_workers=int(workers))
    training(loaded, Path(out), recipe=replace(RECIPE, epochs=400), progress=report)
