"""Splits whose images are decoded from their files whenever they are used."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diswot.errors import DataError, first_line
from diswot.tasks._image_file import read_image
from diswot.tasks.images._originals import Originals
from diswot.tasks.images._split import Split


@dataclass(frozen=True, eq=False)
class StreamedSplit(Split):
    """A split whose images stay in their files.

    `images` is on the meta device: it has a shape but no pixels. `take` decodes images.

    Attributes:
        originals: the image files.
        contents: SHA-256 of each file, uint8 of shape (n, 32).
    """

    originals: Originals
    contents: NDArray[np.uint8]

    def take(self, indices: Tensor) -> Split:
        """Decode the images at `indices`, in one thread per core.

        Raises:
            DataError: a file was removed or damaged after it was read first.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = [*pool.map(self.decoded, indices.tolist())]
        pixels = torch.stack(results) if results else torch.empty(0, *self.images.shape[1:])
        return Split(pixels.byte(), self.labels[indices])

    def decoded(self, place: int) -> Tensor:
        """Decode one image to uint8 (C, H, W), exactly as for decoded folders.

        Raises:
            DataError: the file was removed or damaged after it was read first.
        """
        channels, height, width = self.images.shape[1:]
        path, depth = self.originals.paths[place], self.originals.depth
        try:
            return torch.from_numpy(read_image(path, (channels, height, width), depth=depth))
        except Exception as error:  # a damaged image can raise anything
            raise no_longer_readable(path, error) from error

    def content(self) -> Iterator[NDArray[Any]]:
        """Yield the files' hashes and the classes, for the digest of the data."""
        yield from (self.contents, self.labels.numpy())


def no_longer_readable(path: Path, error: Exception) -> DataError:
    """Return the error for a photo that could be read earlier but cannot be read now."""
    return DataError(
        f"the photo {path} can no longer be read ({first_line(error)}): restore it, or remove it "
        "and start again"
    )
