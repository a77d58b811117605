"""Noise in place of training examples."""

from collections.abc import Mapping

import torch
from torch import Tensor

from diswot.tasks import Batch, TrainingBatches
from search_spaces import Signature


class PseudoBatches(TrainingBatches):
    """Batches of noise in the shape of the inputs, without labels.

    Args:
        signature: shapes of the inputs.
        device: torch device.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(self, signature: Signature, device: str) -> None:
        self._signature, self._device = signature, device

    def __call__(self, indices: Tensor) -> Batch:
        """Return as many examples as there are `indices` (B,), by torch's global generator."""
        inputs = tuple(each.to(self._device) for each in self._signature.example(len(indices)))
        none = torch.empty(len(indices), 0, device=self._device)
        return Batch(inputs, none, None, indices.to(self._device))
