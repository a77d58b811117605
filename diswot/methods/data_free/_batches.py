"""Pseudo-samples in place of labeled training examples."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor

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


class DistortedBatches(TrainingBatches):
    """Batches of another source with noise on their inputs, and without their labels.

    Args:
        source: batches of one real input.
        std: standard deviation of the normal noise.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(self, source: TrainingBatches, std: float) -> None:
        self._source, self._std = source, std

    def __call__(self, indices: Tensor) -> Batch:
        """Return the distorted examples with `indices` (B,), by torch's global generator."""
        return self._distorted(self._source(indices))

    def epoch(
        self, shares: Iterable[tuple[Tensor, int]], *, seed: int
    ) -> Generator[Batch, None, None]:
        """Yield the distorted batches of an epoch; the source may read ahead."""
        with closing(self._source.epoch(shares, seed=seed)) as batches:
            yield from map(self._distorted, batches)

    def _distorted(self, batch: Batch) -> Batch:
        (inputs,) = batch.inputs
        noise = torch.randn(inputs.shape).to(inputs)
        return replace(batch, inputs=(inputs + self._std * noise,), targets=None, labels=None)
