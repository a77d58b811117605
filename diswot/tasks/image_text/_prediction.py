"""Predictions of exported image towers."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from diswot.tasks._image_file import read_image
from diswot.tasks._photo_prediction import PhotoPrediction
from diswot.tasks._prediction import Array, Example, most_likely
from diswot.tasks.image_text._packaging import CLASSES


class ImageTextPrediction(PhotoPrediction):
    """Reads image files, and returns the classes whose texts are closest to their embeddings.

    Without the texts of classes, the embedding is returned.
    """

    def read(self, example: str) -> Example:
        """Read and normalize an image.

        Raises:
            Exception: any, if the file is not an image or damaged, or the student takes arrays.
        """
        path, (channels, height, width) = Path(example), self.config["shape"]
        if path.suffix == ".npy":
            values = self.array(path)
        else:
            self.check_photos()
            depth = self.config["preprocessing"]["depth"]
            values = read_image(path, (channels, height, width), depth=depth)
        return Example((self.normalized(values),))

    def answer(self, output: Array, example: Example) -> dict[str, Any]:
        """Return the `top` most likely classes with their probabilities, softmax of cosines/τ."""
        if not self.config["texts"]:
            return super().answer(output, example)
        names, texts = self._classes
        cosines = texts @ (output / np.linalg.norm(output))
        return most_likely(cosines / self.config["temperature"], names, top=self.top)

    @cached_property
    def _classes(self) -> tuple[list[str], Array]:
        """Names and text embeddings (N, D) of the classes in the language of training."""
        language = self.config["languages"][0]
        record = json.loads((self.folder / CLASSES).read_text(encoding="utf-8"))
        texts = np.array(record["texts"][language], dtype=np.float32)
        return record["names"][language], texts
