"""Labeled sequences of tokens, split into train, val and test: what texts and programs share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.tasks._batch import Batch
from diswot.tasks._content_digest import content_digest
from diswot.tasks._examples import SPLITS, Changes, SplitName, TrainingBatches
from diswot.tasks._metric import Metric
from diswot.tasks._source import Source
from diswot.tasks._task import Task
from diswot.tasks._tasks import find_task
from diswot.tasks._token_batches import TokenBatches
from search_spaces import Signature, TensorSpec


class Tokens(Protocol):
    """The tokens that ids stand for."""

    @property
    def digest(self) -> str:
        """SHA-256 of the tokens."""

    @property
    def mask(self) -> int:
        """Id of masked tokens."""

    @property
    def special(self) -> frozenset[int]:
        """Ids of tokens that are never masked."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class TokenSplit:
    """Labeled sequences of one split.

    Attributes:
        tokens: token ids, int64 of shape (n, L); padded after the end of a sequence.
        lengths: number of tokens of each sequence, shape (n,).
        labels: class of each sequence, shape (n,).

    Examples:
        >>> split = TokenSplit.of([[3, 4, 5], [6]], [0, 1], length=2)
        >>> split.tokens.tolist(), split.lengths.tolist()
        ([[3, 4], [6, 0]], [2, 1])
    """

    tokens: Tensor
    lengths: Tensor
    labels: Tensor

    @classmethod
    def of(
        cls,
        ids: Sequence[Sequence[int]],
        labels: Sequence[int],
        *,
        length: int,
        pad: int = 0,
        end: Sequence[int] = (),
    ) -> Self:
        """Truncate and pad token ids to a length.

        Args:
            ids: token ids of each sequence.
            labels: class of each sequence.
            length: length in tokens.
            pad: id of padding.
            end: ids with which truncated sequences end.
        """
        tokens, lengths = padded(ids, length=length, pad=pad, end=end)
        return cls(tokens, lengths, torch.tensor(labels, dtype=torch.int64))

    def take(self, indices: Tensor) -> Self:
        """Return the sequences with indices (k,)."""
        return type(self)(self.tokens[indices], self.lengths[indices], self.labels[indices])

    def __len__(self) -> int:
        return len(self.labels)


def padded(
    ids: Sequence[Sequence[int]], *, length: int, pad: int = 0, end: Sequence[int] = ()
) -> tuple[Tensor, Tensor]:
    """Return sequences of token ids truncated and padded to a length.

    Args:
        ids: token ids of each sequence.
        length: L, the length in tokens.
        pad: id of padding.
        end: ids with which truncated sequences end.

    Returns:
        Token ids (n, L), int64, and the number of tokens of each sequence (n,).
    """
    tokens = torch.full((len(ids), length), pad, dtype=torch.int64)
    for row, item in zip(tokens, ids, strict=True):
        cut = item if len(item) <= length else [*item[: length - len(end)], *end]
        row[: len(cut)] = torch.tensor(cut, dtype=torch.int64)
    return tokens, torch.tensor([min(len(item), length) for item in ids])


@dataclass(frozen=True, eq=False)
class TokenData(ABC):
    """A classification dataset of token sequences with three splits.

    A subclass adds the field of its tokens, and names it and its task.

    Attributes:
        name: name in manifests.
        train: training examples, on which networks are trained and scored.
        val: validation examples, on which choices such as the best epoch are made.
        test: test examples, on which only results are evaluated.
        classes: names of the classes.
        notes: what was inferred or left out, as text.
        source: name and options with which the data can be loaded again, if known.
    """

    task_name: ClassVar[str]
    fact: ClassVar[str]
    """Name of the tokens' digest in the `facts` of the signature."""

    name: str
    train: TokenSplit
    val: TokenSplit
    test: TokenSplit
    classes: tuple[str, ...]
    _: KW_ONLY
    notes: tuple[str, ...] = ()
    source: Source | None = None

    @property
    @abstractmethod
    def known_tokens(self) -> Tokens:
        """The tokens that the ids stand for."""

    @property
    def task(self) -> Task:
        """The task of the data."""
        return find_task(self.task_name)

    @cached_property
    def length(self) -> int:
        """Length of inputs in tokens, the same for every example.

        With a single length, costs and latencies are measured for real inputs, and a network's
        output for an example does not depend on the other examples of its batch.
        """
        return self.train.tokens.shape[1]

    @cached_property
    def signature(self) -> Signature:
        """Signature of classifiers; its `facts` contain the digest of the tokens."""
        shape, tokens = (self.length,), self.known_tokens
        return Signature(
            (
                TensorSpec("input_ids", shape, "int64", high=len(tokens)),
                TensorSpec("attention_mask", shape, "bool"),
            ),
            len(self.classes),
            {self.fact: tokens.digest},
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all token ids, lengths and labels, the class names and the tokens."""
        splits = [self.split(name) for name in SPLITS]
        return content_digest(
            (self.classes, self.known_tokens.digest),
            (item for split in splits for item in (split.tokens, split.lengths, split.labels)),
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics of the task."""
        return self.task.metrics(self.signature)

    def split(self, name: SplitName) -> TokenSplit:
        """Return the examples of a split."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def size(self, split: SplitName) -> int:
        """Return the number of examples of a split."""
        return len(self.split(split))

    def class_labels(self, split: SplitName) -> Tensor:
        """Return the classes (n,) of a split."""
        return self.split(split).labels

    def inputs(self, split: SplitName, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Return token ids (B, L) and attention mask (B, L)."""
        examples = self.split(split)
        mask = torch.arange(self.length) < examples.lengths[indices][:, None]
        return examples.tokens[indices], mask

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return token ids (B, L), attention mask (B, L), and classes (B,) as targets."""
        labels = self.split(split).labels[indices]
        return Batch(self.inputs(split, indices), labels, labels, indices).to(device)

    def for_teacher(self, teacher: str) -> Self:  # noqa: ARG002
        """Return the data on which a teacher is trained: these."""
        return self

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,  # noqa: ARG002
    ) -> TrainingBatches:
        """Return a source of training batches, with masked tokens and smoothed labels."""
        tokens = self.known_tokens
        return TokenBatches(self, changes, device, mask=tokens.mask, special=tokens.special)

    def summary(self) -> str:
        """Return one line with sizes of splits, length, vocabulary and number of classes."""
        return (
            f"{self.name}: {len(self.train):,} train, {len(self.val):,} val, "
            f"{len(self.test):,} test {self.task.noun}s of up to {self.length} tokens "
            f"({len(self.known_tokens):,} different), {len(self.classes)} classes"
        )

    def check_options(self, options: Mapping[str, Any], *, done: str) -> None:
        """Check that options of loading are those with which the data were loaded.

        Args:
            options: the options.
            done: what cannot be done again, such as `encoded`.

        Raises:
            OptionError: an option differs.
        """
        loaded_with = {} if self.source is None else self.source.options
        known = {**loaded_with, "length": self.length}
        for name, value in options.items():
            if value is not None and value != known.get(name):
                raise OptionError(f"{self.name} is {done} already: leave {name} {value} out")
