"""Training batches of images with targets, and of images with captions."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.errors import OptionError
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks._pixels import Pixels, normalized
from diswot.tasks.image_text._targets import Targets

SHIFTS = {"none": 0, "standard": 2, "strong": 4}
"""Augmentation → maximum translation of images in pixels."""

_OF_CLASSES = ("label_smoothing", "mixup", "cutmix")


class ImageBatches(TrainingBatches):
    """Training batches of images, which are translated by a few pixels.

    Args:
        images: training images, uint8 of shape (n, C, H, W).
        pixels: their normalization.
        changes: augmentation.
        device: device of the batches.
        targets: returns the targets of the images at some indices.
        captions: returns further inputs of the images at some indices, drawn by torch's global
            generator; by default there are none.
        clean: names of the teachers that get the images without augmentation.

    Raises:
        OptionError: labels are to be smoothed or images to be mixed.
    """

    def __init__(
        self,
        images: Tensor,
        pixels: Pixels,
        changes: Changes,
        device: str,
        *,
        targets: Callable[[Tensor], Targets],
        captions: Callable[[Tensor], tuple[Tensor, ...]] | None = None,
        clean: Iterable[str] = (),
    ) -> None:
        check_changes(changes)
        self._images, self._pixels, self._device = images, pixels, device
        self._targets, self._captions = targets, captions
        self._shift = SHIFTS[changes.augment]
        self._clean = tuple(clean) if self._shift else ()

    @property
    def fixed(self) -> bool:
        """Whether inputs are the same in every epoch: neither augmented nor drawn."""
        return not self._shift and self._captions is None

    @property
    def views(self) -> Mapping[str, str]:
        """Description of the view of teachers that get images without augmentation."""
        return dict.fromkeys(self._clean, "images without augmentation, as in VLM-OOD")

    @property
    def teachers_fixed(self) -> bool:
        """Whether teachers get the same images in every epoch."""
        return self.fixed or bool(self._clean)

    def __call__(self, indices: Tensor) -> Batch:
        """Return a batch: images (B, C, H, W) and further inputs, with their targets."""
        pixels = self._images[indices].float()
        images = self._normalized(translated(pixels, self._shift))
        captions = () if self._captions is None else self._captions(indices)
        views = {name: (self._normalized(pixels),) for name in self._clean}
        targets = self._targets(indices)
        return Batch((images, *captions), targets, targets["labels"], indices, views).to(
            self._device
        )

    def _normalized(self, images: Tensor) -> Tensor:
        return normalized(images.to(self._device), self._pixels)


def translated(images: Tensor, most: int) -> Tensor:
    """Return images (B, C, H, W), each translated by up to `most` pixels; borders are repeated.

    Translations are drawn per image from torch's global generator.
    """
    if not most:
        return images
    height, width = images.shape[2:]
    padded = F.pad(images, [most] * 4, mode="replicate")
    tops, lefts = torch.randint(2 * most + 1, (2, len(images))).tolist()
    return torch.stack(
        [
            image[:, top : top + height, left : left + width]
            for image, top, left in zip(padded, tops, lefts, strict=True)
        ]
    )


def check_changes(changes: Changes) -> None:
    """Check that a recipe does not smooth labels or mix images.

    Raises:
        OptionError: it has label smoothing, mixup or CutMix.
    """
    for name in _OF_CLASSES:
        if value := getattr(changes, name):
            raise OptionError(
                f"images with texts have no class probabilities for {name} {value}: leave it out"
            )
