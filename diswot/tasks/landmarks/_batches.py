"""Training batches of images with points, augmented."""

from collections.abc import Mapping

from torch import Tensor

from diswot.errors import OptionError
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks.landmarks._augmentation import Augmentation
from diswot.tasks.landmarks._landmark_images import LandmarkImages

_OF_CLASSES = ("label_smoothing", "mixup", "cutmix")


class LandmarkBatches(TrainingBatches):
    """Training batches of landmark data.

    Args:
        data: the data.
        changes: augmentation.
        device: device of the batches.

    Raises:
        OptionError: labels are to be smoothed or images to be mixed.
    """

    def __init__(self, data: LandmarkImages, changes: Changes, device: str) -> None:
        check_changes(changes)
        self._data, self._device = data, device
        self._augment = (
            None
            if changes.augment == "none"
            else Augmentation(
                mirror=data.mirror, rows=data.rows, strength=_STRENGTHS[changes.augment]
            )
        )

    @property
    def fixed(self) -> bool:
        """Whether images are the same in every epoch: not augmented."""
        return self._augment is None

    @property
    def views(self) -> Mapping[str, str]:
        """Empty: teachers get the students' images."""
        return {}

    def __call__(self, indices: Tensor) -> Batch:
        """Return a batch: images (B, C, H, W), and coordinates (B, 2K) as targets."""
        examples = self._data.train.take(indices)
        images = examples.images.to(self._device).float()
        targets = self._data.coordinates(examples.points.to(self._device))
        if self._augment is not None:
            images, targets = self._augment(images, targets)
        return Batch((self._data.normalize(images),), targets, None, indices.to(self._device))


_STRENGTHS = {"standard": 1, "strong": 2}


def check_changes(changes: Changes) -> None:
    """Check that a recipe has no augmentation that needs classes.

    Raises:
        OptionError: it has label smoothing, mixup or CutMix.
    """
    for name in _OF_CLASSES:
        if getattr(changes, name):
            raise OptionError(
                f"landmarks have no classes for {name} {getattr(changes, name)}: leave it out"
            )
