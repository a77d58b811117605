"""Examples in three splits, as they are evaluated and as they are trained on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol, TypeAlias, get_args

from torch import Tensor, nn

from diswot.seeding import seed_torch
from diswot.tasks._batch import Batch
from diswot.tasks._source import Source
from search_spaces import Signature

SplitName: TypeAlias = Literal["train", "val", "test"]
"""What networks are trained on, selected on and evaluated on."""

SPLITS: tuple[SplitName, ...] = get_args(SplitName)


class Changes(Protocol):
    """What of a recipe changes training examples; what a task does not know is no change to it.

    Attributes:
        augment: `none`, `standard` or `strong`.
        label_smoothing: share of a label that is spread over all classes.
        mixup: parameter α of Beta(α, α); 0 for no mixup.
        cutmix: the same of cutmix.
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
    """Batches of the training split as they are trained on; classes of them derive from it.

    Attributes:
        fixed: whether an example is the same in every epoch, so that what a teacher shows of
            it can be kept.
        views: names of the teachers that get their own view of the examples, in the `views` of
            batches, with what it is, for people.
    """

    @property
    def fixed(self) -> bool: ...
    @property
    def views(self) -> Mapping[str, str]: ...

    def __call__(self, indices: Tensor) -> Batch:
        """Return the examples at places (B,), changed as torch's global generator draws it."""

    def epoch(
        self,
        shares: Iterable[tuple[Tensor, int]],
        *,
        seed: int,  # noqa: ARG002
    ) -> Iterator[Batch]:
        """Yield the batches of an epoch, or of the rest of one, in order.

        After each, torch's global generator is where it is for that batch alone. Batches that
        are read ahead, in processes of their own, end with the iterator: close it.

        Args:
            shares: places (B,) of the examples of each batch, and the seed of what is drawn
                for it.
            seed: of the epoch, for what is drawn for every example alone.
        """
        for places, own in shares:
            seed_torch(own)
            yield self(places)


class Examples(Protocol):
    """Examples in three splits, in memory, mapped from files or streamed.

    They are what a [`Metric`][diswot.tasks.Metric] is given; with the task that they are data
    of and the metrics of their networks, they are a [`Dataset`][diswot.tasks.Dataset].

    Attributes:
        name: what it is called in manifests.
        notes: what was inferred, converted or left out, a line each.
        source: what loads it again, where that is no code.
    """

    @property
    def name(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def source(self) -> Source | None: ...

    @property
    def signature(self) -> Signature:
        """What networks take and give."""

    @property
    def digest(self) -> str:
        """SHA-256 of all examples."""

    def size(self, split: SplitName) -> int:
        """Return how many examples a split has."""

    def batch(self, split: SplitName, indices: Tensor, *, device: str = "cpu") -> Batch:
        """Return examples of a split as they are evaluated and scored, without augmentation.

        Args:
            split: which split.
            indices: (B,) places in it.
            device: where they are needed.
        """

    def training(
        self,
        changes: Changes,
        *,
        device: str = "cpu",
        teachers: Mapping[str, nn.Module] | None = None,
    ) -> TrainingBatches:
        """Return the batches of the training split, changed as a recipe says.

        Args:
            changes: augmentation and mixing, such as a recipe.
            device: where they are needed.
            teachers: by name, those that are to get their own view where they have one.
        """

    def summary(self) -> str:
        """Return one line for people: sizes, shapes and classes."""
