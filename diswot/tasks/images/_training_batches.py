"""Training images as they are trained on: augmented, standardized and mixed."""

from typing import TYPE_CHECKING

from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._dataset import Changes
from diswot.tasks.images._augmentation import augmentation
from diswot.tasks.images._mixing import mixed

if TYPE_CHECKING:
    from diswot.tasks.images._image_data import ImageData


class ImageBatches:
    """Batches of the training images.

    Args:
        data: the images.
        changes: how they are augmented and mixed.
        device: where they are needed.
    """

    def __init__(self, data: "ImageData", changes: Changes, device: str) -> None:
        self._data, self._changes, self._device = data, changes, device
        self._augment = augmentation(data, changes.augment)

    @property
    def fixed(self) -> bool:
        """Whether an image is the same in every epoch."""
        return self._changes.augment == "none" and not (self._changes.mixup or self._changes.cutmix)

    def __call__(self, indices: Tensor) -> Batch:
        """Return images, class probabilities (B, N) as targets, and labels, on the device."""
        found = self._data.train.take(indices)
        images = self._augment(found.images.to(self._device).float())
        labels = found.labels.to(self._device)
        made = mixed(self._data.normalise(images), labels, self._data.num_classes, self._changes)
        return Batch((made.images,), made.targets, made.labels, indices.to(self._device))
