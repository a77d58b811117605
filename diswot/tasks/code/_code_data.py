"""Labeled programs as token ids, split into train, val and test."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from diswot.tasks._batch import Batch
from diswot.tasks._examples import SPLITS, Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._stratified_split import divided
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks._token_batches import TokenBatches
from diswot.tasks.code._vocabulary import Vocabulary
from search_spaces import Signature, TensorSpec


@dataclass(frozen=True, eq=False)
class CodeSplit:
    """Labeled programs of one split.

    Attributes:
        tokens: token ids, int64 of shape (n, L); padded after the end of a program.
        lengths: number of tokens of each program, shape (n,).
        labels: class of each program, shape (n,).

    Examples:
        >>> split = CodeSplit.of([[3, 4, 5], [6]], [0, 1], length=2)
        >>> split.tokens.tolist(), split.lengths.tolist()
        ([[3, 4], [6, 0]], [2, 1])
    """

    tokens: Tensor
    lengths: Tensor
    labels: Tensor

    @classmethod
    def of(cls, ids: Sequence[Sequence[int]], labels: Sequence[int], *, length: int) -> "CodeSplit":
        """Truncate and pad token ids to a length; the id of padding is 0.

        Args:
            ids: token ids of each program.
            labels: class of each program.
            length: length in tokens.
        """
        tokens = torch.zeros((len(ids), length), dtype=torch.int64)
        for row, item in zip(tokens, ids, strict=True):
            row[: len(item)] = torch.tensor(item[:length], dtype=torch.int64)
        lengths = torch.tensor([min(len(item), length) for item in ids])
        return cls(tokens, lengths, torch.tensor(labels, dtype=torch.int64))

    def take(self, indices: Tensor) -> "CodeSplit":
        """Return the programs with indices (k,)."""
        return CodeSplit(self.tokens[indices], self.lengths[indices], self.labels[indices])

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class CodeData:
    """A dataset of labeled programs with three splits.

    Attributes:
        name: name in manifests.
        train: training programs, on which networks are trained and scored.
        val: validation programs, on which choices such as the best epoch are made.
        test: test programs, on which only results are evaluated.
        classes: names of the classes.
        vocabulary: the tokens.
        masked: whether what decides the classes by rule is masked, as in `code-patterns`.
        notes: what was inferred or left out, as text.
        source: name and options with which the data can be loaded again, if known.
    """

    name: str
    train: CodeSplit
    val: CodeSplit
    test: CodeSplit
    classes: tuple[str, ...]
    vocabulary: Vocabulary
    masked: bool = False
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    def task(self) -> Task:
        """The task `code`."""
        return find_task("code")

    @cached_property
    def length(self) -> int:
        """Length of inputs in tokens, the same for every program."""
        return self.train.tokens.shape[1]

    @cached_property
    def signature(self) -> Signature:
        """Signature of classifiers; its `facts` contain the vocabulary's digest."""
        shape = (self.length,)
        return Signature(
            (
                TensorSpec("input_ids", shape, "int64", high=len(self.vocabulary)),
                TensorSpec("attention_mask", shape, "bool"),
            ),
            len(self.classes),
            {"vocabulary": self.vocabulary.digest},
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all token ids, lengths and labels, the class names and the vocabulary."""
        content = hashlib.sha256(repr((self.classes, self.vocabulary.digest)).encode())
        for name in SPLITS:
            split = self.split(name)
            for tensor in (split.tokens, split.lengths, split.labels):
                content.update(repr(tuple(tensor.shape)).encode())
                content.update(tensor.contiguous().numpy().data)
        return content.hexdigest()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def split(self, name: SplitName) -> CodeSplit:
        """Return the programs of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return the number of programs of a split."""
        return len(self.split(split))

    def class_labels(self, split: SplitName) -> Tensor:
        """Return the classes (n,) of a split."""
        return self.split(split).labels

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return token ids (B, L), padding mask (B, L), and classes (B,) as targets."""
        programs = self.split(split)
        tokens, labels = programs.tokens[indices], programs.labels[indices]
        mask = torch.arange(self.length) < programs.lengths[indices][:, None]
        return Batch((tokens, mask), labels, labels, indices).to(device)

    def with_fewer(self, count: int, *, seed: int) -> "CodeData":
        """Return the data with few training programs, drawn at random, stratified by class.

        Args:
            count: number of training programs.
            seed: seed of the random choice.

        Raises:
            DataError: there are too few programs.
        """
        _, chosen = divided(self.train.labels, count, seed, of="programs")
        return replace(self, train=self.train.take(torch.from_numpy(chosen)))

    def for_teacher(self, teacher: str) -> "CodeData":  # noqa: ARG002
        """Return the data on which a teacher is trained: these programs."""
        return self

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return a source of training batches, with masked tokens and smoothed labels."""
        tokens = self.vocabulary
        return TokenBatches(self, changes, device, mask=tokens.mask, special=tokens.special)

    def summary(self) -> str:
        """Return one line with sizes of splits, length, vocabulary and number of classes."""
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test programs of up to {self.length} tokens "
            f"({len(self.vocabulary):,} different), {len(self.classes)} classes"
        )
