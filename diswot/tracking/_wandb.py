"""Weights & Biases: a run of the project `diswot`, online or offline."""

import netrc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from diswot.errors import OptionError
from diswot.runtimes import require

PROJECT = "diswot"
"""The project of runs where `WANDB_PROJECT` is not set."""

_WITHOUT_KEY = ("offline", "disabled", "dryrun")
"""Values of `WANDB_MODE` that need no API key."""


class WandB:
    """Runs in Weights & Biases, as `WANDB_MODE`, `WANDB_PROJECT` and `wandb login` say."""

    def check(self) -> None:
        """Check that wandb is installed, and has an API key if it is to be online.

        Raises:
            MissingExtraError: it is not installed.
            OptionError: it has no API key.
        """
        require(("wandb",), "wandb", "--track wandb")
        if os.environ.get("WANDB_MODE") not in _WITHOUT_KEY and not _has_key():
            raise OptionError(
                "--track wandb has no API key: run `wandb login`, or set WANDB_MODE=offline"
            )

    def start(self, folder: Path, *, run_id: str | None) -> "_Run":
        """Start a run named like the folder, or continue one."""
        return _Run(folder, run_id)


class _Run:
    def __init__(self, folder: Path, run_id: str | None) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=folder.name,
            dir=folder,
            id=run_id,
            resume=None if run_id is None else "allow",
            reinit="create_new",
        )
        self.run_id = self._run.id
        self._folder = folder
        self._stages: set[str] = set()

    def log_config(self, config: Mapping[str, Any]) -> None:
        update: Any = self._run.config.update  # which has no types
        update(dict(config), allow_val_change=True)

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        # Steps of a W&B run only grow, but each training counts its own epochs.
        counts = {f"{name.rpartition('/')[0]}/step": step for name in values}
        for count in counts.keys() - self._stages:
            self._run.define_metric(count.replace("/step", "/*"), step_metric=count)
        self._stages |= counts.keys()
        self._run.log({**values, **counts})

    def log_file(self, path: Path, *, name: str) -> None:  # noqa: ARG002
        self._run.save(str(path), base_path=str(self._folder), policy="now")

    def close(self, *, failed: bool) -> None:
        self._run.finish(exit_code=int(failed))


def _has_key() -> bool:
    """Return whether there is an API key in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname
    try:
        return netrc.netrc().authenticators(host or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False
