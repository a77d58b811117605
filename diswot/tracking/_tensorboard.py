"""TensorBoard: event files in the run folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diswot.runtimes import require

EVENTS = "tensorboard"
"""The folder of a run folder that event files are in."""


class TensorBoard:
    """Writes event files into `RUN/tensorboard`, which `tensorboard --logdir runs` finds."""

    def check(self) -> None:
        """Check that TensorBoard is installed.

        Raises:
            MissingExtraError: it is not.
        """
        require(("tensorboard",), "tensorboard", "--track tensorboard")

    def start(self, folder: Path, *, run_id: str | None) -> "_Events":  # noqa: ARG002
        """Open an event file; TensorBoard joins all files of a folder."""
        return _Events(folder / EVENTS)


class _Events:
    run_id = None

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder)

    def log_config(self, config: Mapping[str, Any]) -> None:
        self._writer.add_text("config", f"```json\n{json.dumps(config, indent=2)}\n```")

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def log_file(self, path: Path, *, name: str) -> None:
        """Store nothing: the event files are next to the files of the run."""

    def close(self, *, failed: bool) -> None:  # noqa: ARG002
        self._writer.close()
