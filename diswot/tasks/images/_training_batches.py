"""Training images as they are trained on: augmented, standardized and mixed."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks.images._augmentation import Cut, augmentation, cut_of
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._mixing import mixed


class View(Protocol):
    """What a teacher is given of training images in place of what students are.

    Attributes:
        text: what it is, for people.
        whole: height and width of which the images given are the middle.
    """

    @property
    def text(self) -> str: ...
    @property
    def whole(self) -> tuple[int, int]: ...

    def __call__(self, indices: Tensor, cut: Cut | None) -> Tensor:
        """Return the images at places (B,), cut and mirrored like those of the student."""


class ImageBatches(TrainingBatches):
    """Batches of the training images.

    Args:
        data: the images.
        changes: how they are augmented and mixed.
        device: where they are needed.
        views: of teachers that have their own, by name.
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
        """Whether an image is the same in every epoch."""
        return self._changes.augment == "none" and not (self._changes.mixup or self._changes.cutmix)

    @property
    def views(self) -> Mapping[str, str]:
        """Teachers that are given something else than students, with what it is."""
        return {name: view.text for name, view in self._views.items()}

    def __call__(self, indices: Tensor) -> Batch:
        """Return images, class probabilities (B, N) as targets, and labels, on the device."""
        found = self._data.train.take(indices)
        images = self._augment(found.images.to(self._device).float())
        cut = cut_of(self._augment)
        own = {name: partial(view, indices, cut) for name, view in self._views.items()}
        return self._batch(indices, images, own)

    def _batch(
        self, indices: Tensor, images: Tensor, own: Mapping[str, Callable[[], Tensor]]
    ) -> Batch:
        """Return images (B, C, H, W) that are augmented, standardized and mixed.

        Args:
            indices: their places.
            images: they, on the device.
            own: returns what a teacher is given in place of them, by its name.
        """
        labels = self._data.train.labels[indices].to(self._device)
        made = mixed(self._data.normalize(images), labels, self._data.num_classes, self._changes)
        views = {}
        for name, view in self._views.items():
            seen = own[name]().to(self._device)
            views[name] = (seen if made.mixing is None else made.mixing(seen, whole=view.whole),)
        inputs = (made.images,)
        return Batch(inputs, made.targets, made.labels, indices.to(self._device), views)
