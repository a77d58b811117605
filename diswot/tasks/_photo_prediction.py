"""Photos as exported students take them."""

from pathlib import Path

from diswot.tasks._image_file import suffixes
from diswot.tasks._prediction import Prediction


class PhotoPrediction(Prediction):
    """Examples are image files, or arrays (C, H, W) in files `.npy`.

    Arrays alone where it is not known how a photo becomes values.
    """

    def is_example(self, path: Path) -> bool:
        """Return whether a file of a folder is an image, or an array where no photo is taken."""
        return super().is_example(path) or (
            self.config["preprocessing"]["photo"] and path.suffix.lower() in suffixes()
        )

    def check_photos(self) -> None:
        """Make sure that the student takes photos.

        Raises:
            ValueError: it takes arrays.
        """
        if not self.config["preprocessing"]["photo"]:
            raise ValueError(
                "how photos become values is not known: give an array (C, H, W) as .npy"
            )
