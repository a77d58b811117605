"""Interfaces of examples in three splits, for evaluation and for training."""

from collections.abc import Generator, Iterable, Mapping
from typing import Literal, Protocol, TypeAlias, get_args

from torch import Tensor, nn

from diswot.seeding import seed_torch
from diswot.tasks._batch import Batch
from diswot.tasks._source import Source
from search_spaces import Signature

SplitName: TypeAlias = Literal["train", "val", "test"]
"""The splits on which networks are trained, selected and evaluated."""

SPLITS: tuple[SplitName, ...] = get_args(SplitName)


class Changes(Protocol):
    """The settings of a recipe that change training examples; a task may ignore some of them.

    Attributes:
        augment: `none`, `standard` or `strong`.
        label_smoothing: probability that is spread uniformly over all classes.
        mixup: parameter α of MixUp's Beta(α, α); 0 for no MixUp.
        cutmix: parameter α of CutMix's Beta(α, α); 0 for no CutMix.
    """

    @property
    def augment(self) -> str: ...
    @property
    def label_smoothing(self) -> float: ...
    @property
    def mixup(self) -> float: ...
    @property
    def cutmix(self) -> float: ...


class TrainingBatches(Protocol):
    """Augmented batches of the training split; implementations derive from this class.

    Attributes:
        fixed: whether an example is the same in every epoch, so that teacher outputs can be
            cached.
        views: descriptions of the views of teachers with their own preprocessing, by the
            teachers' names; the views are in `Batch.views`.
        teachers_fixed: whether teachers get the unaugmented examples in every epoch, although
            students do not, so that teacher outputs can be cached; by default as `fixed`.
    """

    @property
    def fixed(self) -> bool: ...
    @property
    def views(self) -> Mapping[str, str]: ...
    @property
    def teachers_fixed(self) -> bool:
        return self.fixed

    def __call__(self, indices: Tensor) -> Batch:
        """Return the examples with `indices` (B,), augmented by torch's global generator."""

    def epoch(
        self,
        shares: Iterable[tuple[Tensor, int]],
        *,
        seed: int,  # noqa: ARG002
    ) -> Generator[Batch, None, None]:
        """Yield the batches of an epoch, or of the rest of one, in order.

        After each batch, torch's global generator is in a state that depends only on the seed
        of that batch. Implementations may read ahead in worker processes, so the iterator must
        be closed.

        Args:
            shares: for each batch, the indices (B,) of its examples and its seed.
            seed: seed of the epoch, for augmentation that is drawn per example.
        """
        for places, own in shares:
            seed_torch(own)
            yield self(places)


class Examples(Protocol):
    """Examples in three splits, in memory, memory-mapped or streamed.

    This is the part of a [`Dataset`][diswot.tasks.Dataset] that a
    [`Metric`][diswot.tasks.Metric] uses; a dataset also has a task and metrics.

    Attributes:
        name: name in manifests.
        notes: messages on what was inferred, converted or left out, one line each.
        source: name or path and options with which it can be loaded again; `None` if it comes
            from Python code.
    """

    @property
    def name(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> Source | None: ...

    @property
    def signature(self) -> Signature:
        """Shapes of the networks' inputs and outputs."""

    @property
    def digest(self) -> str:
        """SHA-256 of all examples."""

    def size(self, split: SplitName) -> int:
        """Return the number of examples of a split."""

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return examples of a split without augmentation, for evaluation and scoring.

        Args:
            split: "train", "val" or "test".
            indices: indices (B,) in the split.
            device: torch device of the batch.
        """

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> TrainingBatches:
        """Return augmented batches of the training split.

        Args:
            changes: augmentation and mixing, for example a recipe.
            device: torch device of the batches.
            teachers: teachers by name; those with their own preprocessing get their own view.
        """

    def summary(self) -> str:
        """Return a description in one line: sizes, shapes and classes."""
