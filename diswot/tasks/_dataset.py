"""What the rest of the library knows of a dataset."""

from typing import Literal, Protocol, TypeAlias, get_args

from torch import Tensor

from diswot.tasks._batch import Batch
from search_spaces import Signature

SplitName: TypeAlias = Literal["train", "val", "test"]
"""What networks are trained on, selected on and evaluated on."""

SPLITS: tuple[SplitName, ...] = get_args(SplitName)


class Dataset(Protocol):
    """Examples in three splits, in memory, mapped from files or streamed.

    Attributes:
        name: what it is called in manifests.
        notes: what was inferred, converted or left out, a line each.
    """

    name: str
    notes: tuple[str, ...]

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

    def summary(self) -> str:
        """Return one line for people: sizes, shapes and classes."""
