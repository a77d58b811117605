"""Predictions of exported students for photos."""

from pathlib import Path

import numpy as np

from diswot.tasks._image_file import suffixes
from diswot.tasks._prediction import Array, Prediction


class PhotoPrediction(Prediction):
    """Reads examples from image files, or from arrays (C, H, W) in `.npy` files.

    If the preprocessing of photos is not known, only arrays are accepted.
    """

    def is_example(self, path: Path) -> bool:
        """Return whether a file is an array, or an image if the student accepts photos."""
        return super().is_example(path) or (
            self.config["preprocessing"]["photo"] and path.suffix.lower() in suffixes()
        )

    def check_photos(self) -> None:
        """Make sure that the student accepts photos.

        Raises:
            ValueError: it only accepts arrays.
        """
        if not self.config["preprocessing"]["photo"]:
            raise ValueError(
                "the preprocessing of photos is not known: give an array (C, H, W) as .npy"
            )

    def normalized(self, values: Array) -> Array:
        """Return pixel values (C, H, W) normalized to float32 as in the config."""
        mean, std = (np.float32(self.config[name]).reshape(-1, 1, 1) for name in ("mean", "std"))
        result: Array = (np.float32(values) / np.float32(self.config["scale"]) - mean) / std
        return result
