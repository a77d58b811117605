"""A short training of a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BriefTraining:
    """A short training of a candidate.

    Attributes:
        key: canonical key of the candidate.
        architecture: name of the architecture.
        epochs: number of epochs of the whole training.
        value: the task's best measure on the validation split, higher is better; `None` if the
            training failed.
        failure: error message if it failed, else `None`.
        seconds: wall-clock time.
        curve: the best measure so far after each epoch; shorter than `epochs` if the training was
            stopped early, and empty in runs of earlier versions.
    """

    key: str
    architecture: str
    epochs: int
    value: float | None
    failure: str | None = None
    seconds: float = field(default=0.0, compare=False)
    curve: tuple[float, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped early."""
        return 0 < len(self.curve) < self.epochs and self.failure is None

    @property
    def spent(self) -> int:
        """Epochs that it took; all of them for a training that failed."""
        return len(self.curve) if self.stopped else self.epochs

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "BriefTraining":
        """Return what a record of `trainings.jsonl` or `result.json` holds.

        Raises:
            TypeError: it holds something else.
        """
        return cls(**{**record, "curve": tuple(record.get("curve", ()))})
