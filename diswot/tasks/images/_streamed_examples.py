"""The dataset of streamed training images, for a `DataLoader`."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, cast

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import Dataset, get_worker_info

from diswot.errors import DataError
from diswot.tasks.images._augmentation import color_changes
from diswot.tasks.images._crop import draw_crop
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._streamed_split import StreamedSplit, no_longer_readable
from diswot.tasks.images.teachers import AsTrained

Chosen: TypeAlias = tuple[int, int]
"""Index of an image, and the seed of its augmentation."""

Found: TypeAlias = "tuple[NDArray[Any], dict[str, NDArray[Any]]] | DataError"
"""Images (B, C, H, W) and teacher → its images (B, C, H, W); or the error of reading them.

Numpy arrays are sent through pipes; tensors would need shared memory, which is scarce in
containers.
"""


class StreamedExamples(Dataset[Any]):
    """Streamed training images, cropped and flipped; indexed by `Chosen`.

    Args:
        data: data with streamed training images.
        augment: level of augmentation.
        teachers: teacher → preprocessing of photos, for teachers with a view of their own.
    """

    def __init__(
        self, data: LabeledImages, augment: str, teachers: Mapping[str, AsTrained]
    ) -> None:
        self._split = cast(StreamedSplit, data.train)
        self._size, self._flips = data.shape[1:], data.flips
        self._cuts, self._teachers = augment != "none", dict(teachers)
        self._change = color_changes(data, augment)
        sides = [self._size, *(teacher.crop for teacher in teachers.values())]
        self._least = 2 * max(max(side) for side in sides)

    def __getitems__(self, chosen: Sequence[Chosen]) -> Found:
        """Return a batch, or the error if a photo cannot be read.

        Outside of loader workers, photos are read in one thread per core.
        """
        try:
            if get_worker_info() is None:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    made = [*pool.map(self._one, chosen)]
            else:
                made = [*map(self._one, chosen)]
        except DataError as error:
            return error
        images = torch.stack([image for image, _ in made])
        views = {name: torch.cat([view[name] for _, view in made]) for name in self._teachers}
        changed = self._changed(images, [seed for _, seed in chosen])
        return changed.numpy(), {name: view.numpy() for name, view in views.items()}

    @torch.no_grad()
    def _one(self, chosen: Chosen) -> tuple[Tensor, dict[str, Tensor]]:
        """Return an image (C, H, W), and each teacher's view of it (1, C, H, W)."""
        index, seed = chosen
        if not self._cuts:
            image = self._split.decoded(index)
            photo = self._photo(index) if self._teachers else image
            return image, {n: t.of_original(photo.float() / 255) for n, t in self._teachers.items()}
        photo, generator = self._photo(index), torch.Generator().manual_seed(seed)
        height, width = photo.shape[1:]
        # Student and teachers get the same crop of the photo, each resized to its own size.
        crop = draw_crop((height, width), self._size, generator, flips=self._flips)
        part = crop.of(photo)
        image = part[None]
        if part.shape[1:] != self._size:
            image = F.interpolate(image, self._size, mode="bilinear", antialias=True)
        return image[0], {n: t.of_part(part.float() / 255) for n, t in self._teachers.items()}

    def _photo(self, index: int) -> Tensor:
        try:
            return self._split.originals.pixels(index, least=self._least)
        except Exception as error:  # a damaged image can raise anything
            raise no_longer_readable(self._split.originals.paths[index], error) from error

    @torch.no_grad()
    def _changed(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        """Apply TrivialAugment to each image if the augmentation is `strong`."""
        if self._change is None:
            return images
        changed = []
        with torch.random.fork_rng(devices=[]):
            for image, seed in zip(images, seeds, strict=True):
                torch.default_generator.manual_seed(seed)
                changed.append(self._change(image[None].float()))
        return torch.cat(changed)
