"""Training batches of texts for masked-language modeling."""

from collections.abc import Callable, Mapping

from torch import Tensor

from diswot.tasks._batch import Batch
from diswot.tasks._examples import TrainingBatches
from diswot.tasks.text._masked import Masking


class MaskedBatches(TrainingBatches):
    """Training batches of texts for masked-language modeling.

    Args:
        inputs: returns token ids (B, L) and padding mask (B, L) of texts by their indices.
        device: device of the batches.
        masking: draws the hidden tokens of each batch.
    """

    fixed = False
    views: Mapping[str, str] = {}

    def __init__(
        self, inputs: Callable[[Tensor], tuple[Tensor, Tensor]], device: str, *, masking: Masking
    ) -> None:
        self._inputs, self._device, self._masking = inputs, device, masking

    def __call__(self, indices: Tensor) -> Batch:
        """Return token ids with hidden tokens, attention mask and targets, each (B, L)."""
        tokens, mask = self._inputs(indices)
        hidden, truth = self._masking(tokens)
        return Batch((hidden, mask), truth, None, indices).to(self._device)
