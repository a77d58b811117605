"""The classes that a teacher with weights predicts for a few images, each predicted once."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._split import Split

MOST_IMAGES = 256
"""That a teacher is checked on."""

_TOGETHER = 64


class Predictions:
    """A network's predictions for validation images, and training images where those are few.

    The images are drawn at random, always the same ones: class folders are stored in order.

    Args:
        network: is moved to the device, and left in evaluation mode.
        data: what its images and labels are.
        device: where to compute.

    Attributes:
        network: as given.
        data: as given.
        device: as given.
        places: of the images in `val`, and in `train` where some are taken from it, in the
            order of the predictions.
        labels: the class of each image (n,).
    """

    def __init__(self, network: nn.Module, data: LabeledImages, *, device: str = "cpu") -> None:
        self.network = network.to(device).eval()
        self.data = data
        self.device = device
        generator = torch.Generator().manual_seed(0)
        self.places: dict[str, Tensor] = {}
        drawn: list[Split] = []
        left = MOST_IMAGES
        for name, split in (("val", data.val), ("train", data.train)):
            places = torch.randperm(len(split), generator=generator)[:left]
            if len(places):
                self.places[name] = places
                drawn.append(split.take(places))
                left -= len(places)
        self.labels = torch.cat([split.labels for split in drawn])
        self._batches = torch.split(torch.cat([split.images for split in drawn]), _TOGETHER)
        self._known: list[Tensor] = []

    @torch.no_grad()
    def __iter__(self) -> Iterator[Tensor]:
        """Yield the predicted classes batch by batch; a batch is computed when it is first read."""
        for number, images in enumerate(self._batches):
            if number == len(self._known):
                seen = self.data.normalize(images.to(self.device))
                output = run(self.network, seen, who=named(self.network))
                self._known.append(output.argmax(1).cpu())
            yield self._known[number]
