"""MLflow: a run of the experiment `diswot`, locally or on a tracking server."""

import os
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from diswot.errors import OptionError, first_line
from diswot.runtimes import require

EXPERIMENT = "diswot"
"""The experiment of runs where `MLFLOW_EXPERIMENT_NAME` is not set."""

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
"""Environment variables that keep MLflow from reporting its use to its makers."""


class MLflow:
    """Runs in MLflow, at `MLFLOW_TRACKING_URI`, or else where MLflow stores by default."""

    def check(self) -> None:
        """Check that MLflow is installed, and can store runs at its tracking URI.

        Raises:
            MissingExtraError: it is not installed.
            OptionError: it cannot store there.
        """
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        require(("mlflow",), "mlflow", "--track mlflow")
        import mlflow
        from mlflow.exceptions import MlflowException

        try:
            mlflow.MlflowClient()
        except MlflowException as error:
            raise OptionError(
                f"--track mlflow cannot store at {mlflow.get_tracking_uri()} "
                f"({first_line(error)}): set MLFLOW_TRACKING_URI"
            ) from error

    def start(self, folder: Path, *, run_id: str | None) -> "_Run":
        """Start a run named like the folder, or continue one."""
        return _Run(folder, run_id)


class _Run:
    def __init__(self, folder: Path, run_id: str | None) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient()
        if run_id is None:
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
            known = self._client.get_experiment_by_name(name)
            experiment = known.experiment_id if known else self._client.create_experiment(name)
            tags = {
                "diswot.folder": str(folder.absolute()),
                "mlflow.source.name": "diswot",
                "mlflow.source.type": "LOCAL",
            }
            created = self._client.create_run(experiment, run_name=folder.name, tags=tags)
            run_id = created.info.run_id
        else:
            self._client.update_run(run_id, status="RUNNING")
        self.run_id = run_id

    def log_config(self, config: Mapping[str, Any]) -> None:
        known = self._client.get_run(self.run_id).data.params  # which MLflow does not overwrite
        for name, value in config.items():
            if name not in known:
                self._client.log_param(self.run_id, name, value)

    def log(self, values: Mapping[str, float], *, step: int) -> None:
        from mlflow.entities import Metric

        now = time.time_ns() // 1_000_000
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self.run_id, metrics)

    def log_file(self, path: Path, *, name: str) -> None:
        parent = str(PurePosixPath(name).parent)
        self._client.log_artifact(self.run_id, str(path), None if parent == "." else parent)

    def close(self, *, failed: bool) -> None:
        self._client.set_terminated(self.run_id, "FAILED" if failed else "FINISHED")
