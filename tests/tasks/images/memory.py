"""Peak memory of a training on streamed photos."""

import resource
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from diswot.tasks.images import load_data
from diswot.training import Recipe
from tests.tasks.images.streaming import Small, training

SIDE = 256


def write(folder: Path, count: int) -> None:
    """Write this many photos for each of two classes."""
    for label, name in enumerate(("dark", "light")):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = np.full((SIDE, SIDE, 3), 100 * label + number % 100, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg")


def peak(root: Path, count: int, *, above: float) -> int:
    """Train on this many photos per class, and return the peak memory in bytes."""
    torch.set_num_threads(1)
    for split, number in (("train", count), ("val", 8), ("test", 8)):
        write(root / "photos" / split, number)
    data = load_data(root / "photos", root=root, image_size=SIDE, stream_above=above)
    recipe = Recipe(epochs=1, batch_size=8, learning_rate=0.01)
    training(replace(data, loader_workers=1), recipe=recipe, student=Small())
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return 1024 * max(resource.getrusage(kind).ru_maxrss for kind in kinds)


if __name__ == "__main__":
    place, photos, limit = sys.argv[1:]
    sys.stdout.write(str(peak(Path(place), int(photos), above=float(limit))))
