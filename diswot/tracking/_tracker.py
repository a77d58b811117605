"""What a tracker is, and the trackers that there are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from diswot.registry import Registry, instance_of


class Tracker(Protocol):
    """One run in an experiment tracker, from its first values to its end."""

    @property
    def run_id(self) -> str | None:
        """What continues this run when it is resumed; `None` if the tracker needs nothing."""

    def log_config(self, config: Mapping[str, Any]) -> None:
        """Store the options of the run."""

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        """Store measured values.

        Args:
            values: by name, such as `score/student_fit` or `diswot/val_accuracy`.
            step: position on the x axis: the number of a candidate, or an epoch.
        """

    def log_file(self, path: Path, *, name: str) -> None:
        """Store a file of the run under a name relative to the run folder."""

    def close(self, *, failed: bool) -> None:
        """End the run."""


@runtime_checkable
class TrackerSource(Protocol):
    """Starts runs in one experiment tracker."""

    def check(self) -> None:
        """Check that the tracker can be used, before any work is done.

        Raises:
            MissingExtraError: its package is not installed.
            OptionError: it is not set up.
        """

    def start(self, folder: Path, *, run_id: str | None) -> Tracker:
        """Start a run, or continue one.

        Args:
            folder: the run folder.
            run_id: the `run_id` of the run to continue; `None` for a new one.
        """


TRACKERS: Registry[TrackerSource] = Registry(
    "tracker",
    "diswot.trackers",
    {
        "mlflow": "diswot.tracking._mlflow:MLflow",
        "tensorboard": "diswot.tracking._tensorboard:TensorBoard",
        "wandb": "diswot.tracking._wandb:WandB",
    },
    adopt=instance_of(TrackerSource, "tracker", "diswot.tracking"),
)
"""Trackers by name; packages offer more in the entry-point group `diswot.trackers`."""


def find_trackers(names: Sequence[str]) -> dict[str, TrackerSource]:
    """Return trackers by name, after checking that each can be used.

    Args:
        names: such as `mlflow`, or `package.module:Class`.

    Raises:
        UnknownNameError: there is no such tracker; the message suggests the nearest name.
        MissingExtraError: the package of a tracker is not installed.
        OptionError: a tracker is not set up.
    """
    results = {name: TRACKERS.named(name) for name in dict.fromkeys(names)}
    for source in results.values():
        source.check()
    return results
