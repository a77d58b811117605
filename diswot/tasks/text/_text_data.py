"""Labeled texts as numbers of tokens, split into train, val and test."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import torch
from torch import Tensor, nn

from diswot.tasks._accuracy import Top1
from diswot.tasks._batch import Batch
from diswot.tasks._correlation import Matthews
from diswot.tasks._examples import SPLITS, Changes, SplitName
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks.text._tokenizer import TextTokenizer
from diswot.tasks.text._training_batches import TextBatches
from search_spaces import Signature, TensorSpec


@dataclass(frozen=True, eq=False)
class TextSplit:
    """Labeled texts of one split.

    Attributes:
        tokens: (n, L) numbers of tokens, int64; 0 after the end of a text.
        lengths: (n,) tokens of each text, from [CLS] to [SEP].
        labels: (n,) class of each text.
    """

    tokens: Tensor
    lengths: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class TextData:
    """Texts of several classes.

    Attributes:
        name: what it is called in manifests.
        train: what networks are trained on and scored with.
        val: what choices (the best epoch) are made on.
        test: what the result is evaluated on, and nothing else.
        classes: their names.
        tokenizer: what made the numbers of tokens.
        notes: what was inferred or left out, for people.
        source: what loads it again, where that is known.
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
        """Classification of texts."""
        return find_task("text")

    @property
    def length(self) -> int:
        """Tokens that networks take, the same for every text.

        One length for all: costs and latencies are those of a real input, and what a network
        returns for a text does not depend on the others in its batch.
        """
        return self.train.tokens.shape[1]

    @cached_property
    def signature(self) -> Signature:
        """What networks take and give; `facts` name the tokenizer."""
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
        """SHA-256 of all texts as they are given to networks, their classes and the tokenizer."""
        content = hashlib.sha256(repr((self.classes, self.tokenizer.digest)).encode())
        for split in SPLITS:
            own = self.split(split)
            for tensor in (own.tokens, own.lengths, own.labels):
                content.update(repr(tuple(tensor.shape)).encode())
                content.update(tensor.contiguous().numpy().data)
        return content.hexdigest()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Accuracy, and the Matthews correlation."""
        return Top1(), Matthews()

    def split(self, name: SplitName) -> TextSplit:
        """Return the texts of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return how many texts a split has."""
        return len(self.split(split))

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return numbers of tokens (B, L) and where they are text (B, L), with their classes."""
        labels = self.split(split).labels[indices]
        return Batch(self.inputs(split, indices), labels, labels, indices).to(device)

    def inputs(self, split: SplitName, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return numbers of tokens (B, L), and where they are text (B, L)."""
        own = self.split(split)
        return own.tokens[indices], torch.arange(self.length) < own.lengths[indices][:, None]

    def without_labels(self, metrics: tuple[Metric, ...] = ()) -> "UnlabeledTexts":
        """Return the same texts, of which no labels can be read.

        Args:
            metrics: what networks are measured by, without labels.
        """
        return UnlabeledTexts(
            **{each.name: getattr(self, each.name) for each in fields(self)}, measures=metrics
        )

    def for_teacher(self, teacher: str) -> "TextData":  # noqa: ARG002
        """Return what a teacher is trained on: these texts."""
        return self

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TextBatches:
        """Return batches of the training texts; tokens are hidden and labels smoothed."""
        return TextBatches(self, changes, device, tokenizer=self.tokenizer)

    def summary(self) -> str:
        """One line for people: sizes, length and classes."""
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test texts of up to {self.length} tokens "
            f"({self.tokenizer.vocabulary:,} different), {len(self.classes)} classes"
        )


@dataclass(frozen=True, eq=False)
class UnlabeledTexts(TextData):
    """Texts of which no labels can be read: batches have none.

    Attributes:
        measures: what networks are measured by.
    """

    measures: tuple[Metric, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What networks are measured by."""
        return self.measures

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return numbers of tokens (B, L) and where they are text (B, L)."""
        return Batch(self.inputs(split, indices), None, None, indices).to(device)
