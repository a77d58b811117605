"""The batches of a training."""

import torch
from torch import Tensor

from diswot.errors import OptionError
from diswot.seeding import seed_for
from diswot.tasks.images import ImageData
from diswot.training._augmentation import augmentation
from diswot.training._mixing import mixed
from diswot.training._recipe import Recipe


class Batches:
    """Which images a process takes in which step, and what becomes of them.

    Args:
        data: the images.
        recipe: the size of a batch, the order, and how images are changed and mixed.
        device: where batches are needed.
        process: which takes its share of every batch.
        processes: how many there are.

    Attributes:
        size: images of a step, of all processes.
        steps: of an epoch.

    Raises:
        OptionError: batches cannot be shared by so many processes and parts.
    """

    def __init__(
        self, data: ImageData, recipe: Recipe, device: str, *, process: int = 0, processes: int = 1
    ) -> None:
        self.size = min(recipe.batch_size, len(data.train))
        self.steps = recipe.steps_per_epoch(len(data.train))
        parts = recipe.gradient_accumulation
        if self.size % (processes * parts):
            raise OptionError(
                f"Expected batches that can be divided by {processes * parts} ({processes} "
                f"processes, gradient accumulation {parts}), but got {self.size} images: give a "
                "multiple of it (--train-batch-size)"
            )
        self._data, self._recipe, self._device = data, recipe, device
        self._process, self._processes = process, processes
        self._augment = augmentation(data, recipe.augment)

    def order(self, epoch: int) -> Tensor:
        """Return the places (steps, parts, B) of this process's images in the training split.

        Their order follows from the seed and the epoch.
        """
        generator = torch.Generator().manual_seed(seed_for(self._recipe.seed, "order", epoch))
        order = torch.randperm(len(self._data.train), generator=generator)
        shape = (self.steps, self._recipe.gradient_accumulation, self._processes, -1)
        return order[: self.steps * self.size].view(shape)[:, :, self._process]

    def take(self, places: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return images, targets, labels and places of one forward pass, on the device.

        Changes and mixtures are drawn from torch's global generator.
        """
        batch = self._data.train.take(places)
        images = self._augment(batch.images.to(self._device).float())
        found = mixed(
            self._data.normalise(images),
            batch.labels.to(self._device),
            self._data.num_classes,
            self._recipe,
        )
        return found.images, found.targets, found.labels, places.to(self._device)
