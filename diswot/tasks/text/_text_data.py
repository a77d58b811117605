"""Labeled texts as token ids, split into train, val and test."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from diswot.seeding import seed_for
from diswot.tasks._batch import Batch
from diswot.tasks._examples import SPLITS, Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks._token_batches import TokenBatches
from diswot.tasks.text._masked import MaskedLMLoss, Masking
from diswot.tasks.text._tokenizer import TextTokenizer
from diswot.tasks.text._training_batches import MaskedBatches
from search_spaces import Signature, TensorSpec

_Unlabeled = TypeVar("_Unlabeled", bound="UnlabeledTexts")


@dataclass(frozen=True, eq=False)
class TextSplit:
    """Labeled texts of one split.

    Attributes:
        tokens: token ids, int64 of shape (n, L); padded after the end of a text.
        lengths: number of tokens of each text, from [CLS] to [SEP], shape (n,).
        labels: class of each text, shape (n,).
    """

    tokens: Tensor
    lengths: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class TextData:
    """A text classification dataset with three splits.

    Attributes:
        name: name in manifests.
        train: training texts, on which networks are trained and scored.
        val: validation texts, on which choices such as the best epoch are made.
        test: test texts, on which only results are evaluated.
        classes: names of the classes.
        tokenizer: the tokenizer of the texts.
        notes: what was inferred or left out, as text.
        source: name and options with which the data can be loaded again, if known.
    """

    name: str
    train: TextSplit
    val: TextSplit
    test: TextSplit
    classes: tuple[str, ...]
    tokenizer: TextTokenizer
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def task(self) -> Task:
        """The task `text`."""
        return find_task("text")

    @property
    def length(self) -> int:
        """Length of inputs in tokens, the same for every text.

        With a single length, costs and latencies are measured for real inputs, and a network's
        output for a text does not depend on the other texts of its batch.
        """
        return self.train.tokens.shape[1]

    @cached_property
    def signature(self) -> Signature:
        """Signature of classifiers; its `facts` contain the tokenizer's digest."""
        shape = (self.length,)
        return Signature(
            (
                TensorSpec("input_ids", shape, "int64", high=self.tokenizer.vocabulary),
                TensorSpec("attention_mask", shape, "bool"),
            ),
            len(self.classes),
            {"tokenizer": self.tokenizer.digest},
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all token ids, lengths and labels, the class names and the tokenizer."""
        content = hashlib.sha256(repr((self.classes, self.tokenizer.digest)).encode())
        for split in SPLITS:
            examples = self.split(split)
            for tensor in (examples.tokens, examples.lengths, examples.labels):
                content.update(repr(tuple(tensor.shape)).encode())
                content.update(tensor.contiguous().numpy().data)
        return content.hexdigest()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def split(self, name: SplitName) -> TextSplit:
        """Return the texts of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return the number of texts of a split."""
        return len(self.split(split))

    def class_labels(self, split: SplitName) -> Tensor:
        """Return the classes (n,) of a split."""
        return self.split(split).labels

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return token ids (B, L), attention mask (B, L), and classes (B,) as targets."""
        labels = self.split(split).labels[indices]
        return Batch(self.inputs(split, indices), labels, labels, indices).to(device)

    def inputs(self, split: SplitName, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return token ids (B, L) and attention mask (B, L)."""
        examples = self.split(split)
        return examples.tokens[indices], torch.arange(self.length) < examples.lengths[indices][
            :, None
        ]

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

    def for_teacher(self, teacher: str) -> "TextData":  # noqa: ARG002
        """Return the data on which a teacher is trained: these texts."""
        return self

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return a source of training batches, with masked tokens and smoothed labels."""
        special = self.tokenizer.special
        return TokenBatches(self, changes, device, mask=self.tokenizer.mask, special=special)

    def summary(self) -> str:
        """Return one line with sizes of splits, length, vocabulary and number of classes."""
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test texts of up to {self.length} tokens "
            f"({self.tokenizer.vocabulary:,} different), {len(self.classes)} classes"
        )


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
