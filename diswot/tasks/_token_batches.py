"""Training batches of token ids: tokens masked, labels smoothed."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks._task import Dataset

HIDDEN: Mapping[str, float] = {"none": 0.0, "standard": 0.15, "strong": 0.3}
"""Augmentation level → probability that a token is replaced by the mask."""


class TokenBatches(TrainingBatches):
    """Training batches of token sequences with a class each.

    Each token except special ones is masked with the same probability. Source: word dropout
    (Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", ACL 2015, section 3), with a mask token in place of dropped tokens.

    Args:
        data: the data, whose inputs are token ids (B, L) and a mask (B, L).
        changes: augmentation and label smoothing; mixup and CutMix are ignored.
        device: device of the batches.
        mask: id of the mask token.
        special: ids of tokens that are never masked.
    """

    def __init__(
        self, data: Dataset, changes: Changes, device: str, *, mask: int, special: Iterable[int]
    ) -> None:
        self._data, self._device, self._mask = data, device, mask
        self._special = torch.tensor(sorted(special))
        self._hidden, self._smoothing = HIDDEN[changes.augment], changes.label_smoothing

    @property
    def fixed(self) -> bool:
        """Whether examples are the same in every epoch: not masked."""
        return self._hidden == 0

    @property
    def views(self) -> Mapping[str, str]:
        """Empty: teachers get the students' inputs."""
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
