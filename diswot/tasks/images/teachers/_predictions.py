"""Predictions of a trained teacher for a few images, computed lazily and cached."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from diswot.networks import named
from diswot.networks.output import run
from diswot.tasks.images._labeled_images import LabeledImages
from diswot.tasks.images._split import Split

MOST_IMAGES = 256
"""Maximum number of images for checks of a teacher."""

_TOGETHER = 64


class Predictions:
    """Predictions for validation images, and training images if those are few.

    The images are drawn at random, since folders are sorted by class, but with a fixed seed.

    Args:
        network: the teacher; it is moved to the device and set to evaluation mode.
        data: data with images and labels.
        device: device such as `cpu` or `cuda:0`.

    Attributes:
        network: the teacher.
        data: the data.
        device: the device.
        places: `val`, and `train` if some are taken from it → indices of the images, in the
            order of the predictions.
        labels: class of each image, shape (n,).
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
            indices = torch.randperm(len(split), generator=generator)[:left]
            if len(indices):
                self.places[name] = indices
                drawn.append(split.take(indices))
                left -= len(indices)
        self.labels = torch.cat([split.labels for split in drawn])
        self._batches = torch.split(torch.cat([split.images for split in drawn]), _TOGETHER)
        self._known: list[Tensor] = []

    @torch.no_grad()
    def __iter__(self) -> Iterator[Tensor]:
        """Yield the predicted classes batch by batch; each batch is computed once."""
        for number, images in enumerate(self._batches):
            if number == len(self._known):
                seen = self.data.normalize(images.to(self.device))
                output = run(self.network, seen, who=named(self.network))
                self._known.append(output.argmax(1).cpu())
            yield self._known[number]
