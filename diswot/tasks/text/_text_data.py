"""Labeled texts as token ids, split into train, val and test."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from diswot.seeding import seed_for
from diswot.tasks._batch import Batch
from diswot.tasks._examples import Changes, SplitName
from diswot.tasks._metric import Metric
from diswot.tasks._token_data import TokenData
from diswot.tasks._tokenizer import TextTokenizer
from diswot.tasks.text._masked import MaskedLMLoss, Masking
from diswot.tasks.text._training_batches import MaskedBatches

_Unlabeled = TypeVar("_Unlabeled", bound="UnlabeledTexts")


@dataclass(frozen=True, eq=False)
class TextData(TokenData):
    """A text classification dataset with three splits, see [`TokenData`][diswot.tasks.TokenData].

    Attributes:
        tokenizer: the tokenizer of the texts.
    """

    task_name = "text"
    fact = "tokenizer"

    tokenizer: TextTokenizer

    @property
    def known_tokens(self) -> TextTokenizer:
        """The tokenizer."""
        return self.tokenizer

    def without_labels(self, metrics: tuple[Metric, ...] = ()) -> "UnlabeledTexts":
        """Return the same texts without access to their labels.

        Args:
            metrics: metrics that need no labels.
        """
        return self._converted(UnlabeledTexts, metrics)

    def masked(self, metrics: tuple[Metric, ...] | None = None) -> "MaskedTexts":
        """Return the same texts for masked-language modeling.

        Args:
            metrics: metrics of the networks; by default the masked-LM loss.
        """
        return self._converted(MaskedTexts, (MaskedLMLoss(),) if metrics is None else metrics)

    def _converted(self, kind: type[_Unlabeled], metrics: tuple[Metric, ...]) -> _Unlabeled:
        content = {field.name: getattr(self, field.name) for field in fields(TextData)}
        result = kind(**content, measures=metrics)
        if "digest" in vars(self):  # the digest of the same texts, where `cached_property` keeps it
            vars(result)["digest"] = self.digest
        return result


@dataclass(frozen=True, eq=False)
class UnlabeledTexts(TextData):
    """Text data whose batches have no labels.

    Attributes:
        measures: metrics that need no labels.
    """

    measures: tuple[Metric, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics in `measures`."""
        return self.measures

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return token ids (B, L) and attention mask (B, L), without labels."""
        return Batch(self.inputs(split, indices), None, None, indices).to(device)


@dataclass(frozen=True, eq=False)
class MaskedTexts(UnlabeledTexts):
    """Text data for masked-language modeling, whose targets are hidden tokens.

    Evaluation batches of a split always hide the same tokens; in training batches, the hidden
    tokens are drawn in every epoch.
    """

    @cached_property
    def masking(self) -> Masking:
        """The masking of tokens."""
        return Masking.of(self.tokenizer)

    @cached_property
    def _hidden(self) -> dict[SplitName, tuple[Tensor, Tensor]]:
        """Split → its texts with hidden tokens, and the targets; filled when a split is read."""
        return {}

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return token ids with hidden tokens, attention mask and targets, each (B, L)."""
        if split not in self._hidden:
            generator = torch.Generator().manual_seed(seed_for("masked", split))
            self._hidden[split] = self.masking(self.split(split).tokens, generator=generator)
        _, mask = self.inputs(split, indices)
        tokens, truth = (item[indices] for item in self._hidden[split])
        return Batch((tokens, mask), truth, None, indices).to(device)

    def training(
        self,
        changes: Changes,  # noqa: ARG002
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> MaskedBatches:
        """Return a source of training batches, whose hidden tokens are drawn in every epoch."""
        return MaskedBatches(partial(self.inputs, "train"), device, masking=self.masking)
