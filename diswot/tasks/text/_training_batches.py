"""Training texts as they are trained on: tokens hidden, labels smoothed."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, TrainingBatches
from diswot.tasks._task import Dataset
from diswot.tasks.text._tokenizer import TextTokenizer

HIDDEN: Mapping[str, float] = {"none": 0.0, "standard": 0.15, "strong": 0.3}
"""Share of tokens that are replaced by [MASK], by augmentation."""


class TextBatches(TrainingBatches):
    """Batches of the training texts.

    Each token but [CLS], [SEP] and [PAD] is hidden with the same probability. Source: word
    dropout (Iyyer et al., "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification", ACL 2015, section 3), with [MASK] in place of what is dropped.

    Args:
        data: the texts.
        changes: how they are augmented; what mixes images means nothing for texts.
        device: where they are needed.
        tokenizer: which tokens may be hidden, and by which.
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
        """Whether a text is the same in every epoch."""
        return self._hidden == 0

    @property
    def views(self) -> Mapping[str, str]:
        """None: teachers are given what students are."""
        return {}

    def __call__(self, indices: Tensor) -> Batch:
        """Return texts, class probabilities (B, N) as targets, and labels, on the device."""
        found = self._data.batch("train", indices)
        tokens, mask = found.inputs
        if not self.fixed:
            drawn = torch.rand(tokens.shape) < self._hidden
            own = torch.isin(tokens, self._special, invert=True)
            tokens = tokens.masked_fill(drawn & own, self._mask)
        if found.labels is None:
            return Batch((tokens, mask), None, None, indices).to(self._device)
        classes = self._data.signature.outputs
        sure = F.one_hot(found.targets, classes).float()
        targets = (1 - self._smoothing) * sure + self._smoothing / classes
        return Batch((tokens, mask), targets, found.labels, indices).to(self._device)
