"""Predictions of exported image classifiers."""

from pathlib import Path
from typing import Any

import numpy as np

from diswot.tasks._image_file import read_image
from diswot.tasks._photo_prediction import PhotoPrediction
from diswot.tasks._prediction import Array, Example, most_likely


class ImagePrediction(PhotoPrediction):
    """Reads image files as in training, and returns their most likely classes."""

    def read(self, example: str) -> Example:
        """Read and normalize an image.

        Raises:
            Exception: any, if the file is not an image or damaged, or the student takes arrays.
        """
        return Example((self.normalized(self._values(Path(example))),))

    def answer(self, output: Array, _example: Example) -> dict[str, Any]:
        """Return the `top` most likely classes with their probabilities."""
        return most_likely(output, self.config.get("classes"), top=self.top)

    def _values(self, path: Path) -> Array:
        wanted = self.config["preprocessing"]
        if path.suffix == ".npy":
            return self.array(path)
        self.check_photos()
        channels, height, width = self.config["shape"]
        pixels = read_image(path, (channels, height, width), depth=wanted["depth"])
        return pixels.astype(np.float32) / np.float32(wanted["pixel_divisor"])
