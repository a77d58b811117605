"""Pseudo-samples in place of labeled training examples."""

from collections.abc import Mapping

import torch
from torch import Tensor

from diswot.methods._unlabeled import UnlabeledBatches
from diswot.methods.data_free._noise import InputStatistics
from diswot.tasks import Batch, TrainingBatches


class NoiseBatches(TrainingBatches):
    """Batches of independent normal numbers, without labels.

    Args:
        shape: shape of one example: an image, or a random vector for a generator.
        device: torch device.
        statistics: mean and standard deviation of images; by default 0 and 1.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(
        self, shape: tuple[int, ...], device: str, statistics: InputStatistics | None = None
    ) -> None:
        self._shape, self._device, self._statistics = shape, device, statistics

    def __call__(self, indices: Tensor) -> Batch:
        """Return as many examples as there are `indices` (B,), by torch's global generator."""
        noise = torch.randn(len(indices), *self._shape)
        if self._statistics is not None:
            noise = self._statistics.mean.view(-1, 1, 1) + self._statistics.std * noise
        return Batch((noise.to(self._device),), None, None, indices.to(self._device))


class DistortedBatches(UnlabeledBatches):
    """Batches of another source with noise on their inputs, and without their labels.

    Args:
        source: batches of one real input.
        std: standard deviation of the normal noise.
    """

    def __init__(self, source: TrainingBatches, std: float) -> None:
        super().__init__(source)
        self._std = std

    def changed(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the inputs (B, …) with noise."""
        (given,) = inputs
        return (given + self._std * torch.randn(given.shape).to(given),)
