"""Predictions of exported landmark networks."""

from pathlib import Path
from typing import Any

import numpy as np

from diswot.tasks._image_file import opened
from diswot.tasks._photo_prediction import PhotoPrediction
from diswot.tasks._prediction import Array, Example
from diswot.tasks.landmarks._square import squared


class LandmarkPrediction(PhotoPrediction):
    """Reads image files without cropping, and returns points in pixels of the file."""

    def read(self, example: str) -> Example:
        """Read and normalize an image; the context is its square in the photo.

        Raises:
            Exception: any, if the file is not an image or damaged, or the student takes arrays.
        """
        path, (channels, height, width) = Path(example), self.config["shape"]
        if path.suffix == ".npy":
            return Example((self.normalized(self.array(path)),), (0, 0, (width, height)))
        self.check_photos()
        with opened(path) as image:
            values, (left, top, size) = squared(image, channels, height)
        return Example((self.normalized(values),), (left, top, (size, size)))

    def answer(self, output: Array, example: Example) -> dict[str, Any]:
        """Return x and y of every point, in pixels of the photo."""
        left, top, size = example.context
        center = np.float32(self.config["postprocessing"]["pixel_center"])
        corner = np.array([left, top], dtype=np.float32) - center
        points = (output.reshape(-1, 2) + np.float32(0.5)) * np.float32(size) + corner
        return {
            f"{axis}_{number}": round(float(value), 3)
            for number, point in enumerate(points, start=1)
            for axis, value in zip("xy", point, strict=True)
        }
