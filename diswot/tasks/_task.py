"""A kind of data, and all that is true of it alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.progress import Progress, silent
from diswot.tasks._dataset import Dataset


class Task(ABC):
    """What networks take, give and are measured by, for one kind of data.

    A task is one package: its data, batches, augmentation, metrics, teachers, and what an
    exported student says about its input. Everything else asks for these through the task.

    Attributes:
        name: what it is called in options and manifests.
        summary: one line.
        reads: what losses and scorers can read of its networks, by the names on their cards.
        data: the dataset where none is named.
        teacher: the teacher where none is named.
        space: the search space where none is named.
        losses: what the winner of the main job is trained with, by name; the first learns
            from the truth alone, and of the others the second is that of the baselines.
    """

    name: str
    summary: str
    reads: frozenset[str]
    data: str
    teacher: str
    space: str
    losses: tuple[str, ...]

    @abstractmethod
    def check(self, data: Any, **options: Any) -> None:
        """Raise what can be said of data that are asked for before anything is read.

        Raises:
            DiswotError: no dataset has that name, or the options do not fit.
        """

    @abstractmethod
    def load(
        self,
        data: Any,
        *,
        root: str | Path | None = None,
        progress: Progress = silent,
        **options: Any,
    ) -> Dataset:
        """Return the dataset that is meant.

        Args:
            data: a name, a folder, `package.module:callable`, or a dataset itself.
            root: the data root; by default the variable `DISWOT_DATA`, else the user's cache.
            progress: receives what was inferred.
            **options: of the task's own, such as `image_size`.

        Raises:
            DiswotError: the dataset is missing, damaged or unfit.
        """

    def prepared(self, dataset: Dataset, options: Mapping[str, Any]) -> Dataset:  # noqa: ARG002
        """Return the dataset with what options of a training say of it, such as `flips`."""
        return dataset
