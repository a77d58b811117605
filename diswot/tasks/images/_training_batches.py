"""Training batches: augmented, normalized and mixed images."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks.images._augmentation import Cut, augmentation, cut_of
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._mixing import Mixed, mixed


def moved(images: Tensor, device: str) -> Tensor:
    """Copy images to a device; to a GPU from pinned memory, without waiting for the copy."""
    if not device.startswith("cuda"):
        return images.to(device)
    return images.pin_memory().to(device, non_blocking=True)


class View(Protocol):
    """A teacher's own view of training images, in place of the students' images.

    Attributes:
        text: description for messages.
        whole: height and width of the uncropped images, of which the view is the center crop.
    """

    @property
    def text(self) -> str: ...
    @property
    def whole(self) -> tuple[int, int]: ...

    def __call__(self, indices: Tensor, cut: Cut | None) -> Tensor:
        """Return the images at `indices` (B,), with the student's crops and flips."""


class ImageBatches(TrainingBatches):
    """Training batches of images in memory or memory-mapped.

    Args:
        data: the data.
        changes: augmentation and mixing.
        device: device of the batches.
        views: teacher → its own view of the photos, for teachers that have one.
    """

    def __init__(
        self,
        data: LabeledImages,
        changes: Changes,
        device: str,
        views: Mapping[str, View] | None = None,
    ) -> None:
        self._data, self._changes, self._device = data, changes, device
        self._augment = augmentation(data, changes.augment)
        self._views = dict(views or {})

    @property
    def fixed(self) -> bool:
        """Whether images are the same in every epoch: neither augmented nor mixed."""
        return self._changes.augment == "none" and not (self._changes.mixup or self._changes.cutmix)

    @property
    def views(self) -> Mapping[str, str]:
        """Teacher → description of its own view."""
        return {name: view.text for name, view in self._views.items()}

    def __call__(self, indices: Tensor) -> Batch:
        """Return the batch at `indices` (B,): images (B, C, H, W), targets (B, N), labels (B,)."""
        examples = self._data.train.take(indices)
        images = self._augment(moved(examples.images, self._device).float())
        cut = cut_of(self._augment)
        own = {name: partial(view, indices, cut) for name, view in self._views.items()}
        return self._batch(indices, images, own)

    def _batch(
        self, indices: Tensor, images: Tensor, own: Mapping[str, Callable[[], Tensor]]
    ) -> Batch:
        """Normalize and mix augmented images (B, C, H, W).

        Args:
            indices: indices of the images in the training split (B,).
            images: augmented images on the device.
            own: teacher → function that returns its own view of the images.
        """
        made = self._mixed(self._data.normalize(images), indices)
        views = {}
        for name, view in self._views.items():
            seen = moved(own[name](), self._device)
            views[name] = (seen if made.mixing is None else made.mixing(seen, whole=view.whole),)
        inputs = (made.images,)
        return Batch(inputs, made.targets, made.labels, indices.to(self._device), views)

    def _mixed(self, images: Tensor, indices: Tensor) -> Mixed:
        """Return normalized images (B, C, H, W) with their targets, mixed."""
        labels = self._data.train.labels[indices].to(self._device)
        return mixed(images, labels, self._data.num_classes, self._changes)
