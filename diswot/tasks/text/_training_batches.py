"""Training batches of texts: tokens masked, labels smoothed."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks._task import Dataset
from diswot.tasks.text._masked import Masking
from diswot.tasks.text._tokenizer import TextTokenizer

HIDDEN: Mapping[str, float] = {"none": 0.0, "standard": 0.15, "strong": 0.3}
"""Augmentation level → probability that a token is replaced by [MASK]."""


class TextBatches(TrainingBatches):
    """Training batches of texts.

    Each token except special ones is masked with the same probability. Source: word dropout
    (Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", ACL 2015, section 3), with [MASK] in place of dropped tokens.

    Args:
        data: the data.
        changes: augmentation and label smoothing; mixup and CutMix are ignored.
        device: device of the batches.
        tokenizer: the tokenizer, for its special tokens.
    """

    def __init__(
        self, data: Dataset, changes: Changes, device: str, *, tokenizer: TextTokenizer
    ) -> None:
        self._data, self._device = data, device
        self._mask = tokenizer.mask
        self._special = torch.tensor(sorted(tokenizer.special))
        self._hidden, self._smoothing = HIDDEN[changes.augment], changes.label_smoothing

    @property
    def fixed(self) -> bool:
        """Whether texts are the same in every epoch: not masked."""
        return self._hidden == 0

    @property
    def views(self) -> Mapping[str, str]:
        """Empty: teachers get the students' texts."""
        return {}

    def __call__(self, indices: Tensor) -> Batch:
        """Return a batch: token ids and mask (B, L), targets (B, N), labels (B,)."""
        result = self._data.batch("train", indices)
        tokens, mask = result.inputs
        if not self.fixed:
            drawn = torch.rand(tokens.shape) < self._hidden
            # Special tokens are never masked.
            ordinary = torch.isin(tokens, self._special, invert=True)
            tokens = tokens.masked_fill(drawn & ordinary, self._mask)
        if result.labels is None:
            return Batch((tokens, mask), None, None, indices).to(self._device)
        classes = self._data.signature.outputs
        sure = F.one_hot(result.targets, classes).float()
        targets = (1 - self._smoothing) * sure + self._smoothing / classes
        return Batch((tokens, mask), targets, result.labels, indices).to(self._device)


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
