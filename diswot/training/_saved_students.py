"""Trained students in a run folder: `distill/NAME/` with weights, metrics and a report."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.devices import is_first
from diswot.errors import RunFolderError
from diswot.runs import METRICS, REPORT, TRAINING_MANIFEST, digest_of
from diswot.runs.folder import check_new_folder, read_json, write_record
from diswot.tasks import (
    ClassMetrics,
    LabelMetrics,
    Measure,
    read_class_metrics,
    read_signature,
    with_measures,
)
from diswot.training._checkpoint import CHECKPOINT
from diswot.training._files import BEST, LAST
from diswot.training._metrics import read_metrics
from diswot.training._training_result import Training
from search_spaces import Signature

ROUNDS = "shortlist"
"""Subfolder with the trainings of a shortlist, except the last one."""


@dataclass(frozen=True)
class SavedStudent:
    """A trained student in a folder.

    Attributes:
        folder: folder with its weights and metrics.
        architecture: name of its architecture in the search space.
        loss: loss that it was trained with.
        val: measure on the validation split, by which students are selected.
        signature: shapes of its inputs and outputs.
        metrics: settings and measures, as written to an export's `config.json`.
        digests: SHA-256 of the training's files by name, from when it ended.
    """

    folder: Path
    architecture: str
    loss: str
    val: Measure
    signature: Signature
    metrics: Mapping[str, Any]
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def test(self) -> Measure | None:
        """Measure on the test split; `None` if it is not known."""
        return Measure.from_json(self.metrics["test"]) if "test" in self.metrics else None

    @property
    def classes(self) -> ClassMetrics | LabelMetrics | None:
        """Metrics per class on the test split; `None` if they are not known.

        Raises:
            RunFolderError: they are damaged.
        """
        found = self.metrics.get("test_classes")
        try:
            return None if found is None else read_class_metrics(found)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RunFolderError(
                f"{self.folder / REPORT} is damaged ({error!r}): distill again in another folder"
            ) from error

    @property
    def weights(self) -> Path:
        """Path of the weights of its best epoch.

        Raises:
            RunFolderError: the file has changed since the training ended (SHA-256).
        """
        path = self.folder / BEST
        _check_digest(path, self.digests)
        return path


def training_folder(path: str | Path) -> Path:
    """Check the folder for a training: it must be new, empty, or have an unfinished training.

    With several processes, only rank 0 checks, because it writes there.

    Raises:
        RunFolderError: the folder has other content, or cannot be written.
    """
    folder = Path(path)
    if is_first() and not is_unfinished(folder):
        check_new_folder(folder)
    return folder


def is_unfinished(folder: Path) -> bool:
    """Return whether a folder has an unfinished training, or an unfinished shortlist."""
    try:
        if (folder / CHECKPOINT).exists():
            return True
        started = (folder / ROUNDS).is_dir() or (folder / TRAINING_MANIFEST).exists()
        return started and not (folder / REPORT).exists()
    except OSError:  # an invalid name; writing to it later reports that
        return False


def folder_name(loss: str, *more: str) -> str:
    """Return a folder name for a loss and whatever else identifies a training.

    If it contains other characters than letters, digits, `-`, `.`, `_` and `=`, these are
    replaced, and a hash keeps the name unique.

    Args:
        loss: an expression or preset.
        *more: other parts of the name, such as the architecture.

    Examples:
        >>> folder_name("diswot-dagger"), folder_name("ce + 0.9*kd(T=4)", "3-1-5")
        ('diswot-dagger', 'ce-0.9-kd-T=4--3-1-5-eb31de18')
    """
    wanted = "-".join((loss, *more))
    plain = re.sub(r"[^\w.=-]+", "-", wanted, flags=re.ASCII).strip("-.")[:80]
    if plain == wanted:
        return plain
    return f"{plain}-{hashlib.sha256(wanted.encode()).hexdigest()[:8]}"


def save_report(
    folder: Path,
    architecture: str,
    training: Training,
    *,
    signature: Signature,
    metrics: Mapping[str, Any],
) -> None:
    """Write the report of a finished training next to its weights.

    Args:
        folder: folder of the training.
        architecture: name of the student's architecture.
        training: the result.
        signature: shapes of the student's inputs and outputs.
        metrics: settings and measures for exports.
    """
    report = {
        "architecture": architecture,
        "val": training.val.to_json(),
        "test": training.test.to_json(),
        "best_epoch": training.best_epoch,
        "seconds": round(training.seconds, 2),
        "signature": signature.to_json(),
        "metrics": dict(metrics),
        "digests": {name: digest_of(folder / name) for name in (BEST, LAST, METRICS)},
    }
    write_record(folder / REPORT, report)


def load_training(folder: Path) -> Training:
    """Read the result of a finished training.

    Raises:
        RunFolderError: the folder has no finished training, or it is damaged.
    """
    report = read_json(folder / REPORT)
    try:
        _check_digest(folder / METRICS, _digests(report))
        history = read_metrics(folder)
        classes = report["metrics"].get("test_classes")
        return Training(
            str(report["metrics"]["loss"]),
            history,
            int(report["best_epoch"]),
            Measure.from_json(report["val"]),
            Measure.from_json(report["test"]),
            float(report["seconds"]),
            classes=None if classes is None else read_class_metrics(classes),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder} is damaged ({error!r}): remove it, and its training is done again"
        ) from error


def saved_students(folder: Path) -> list[SavedStudent]:
    """Return the trained students of a run, best on the validation split first.

    Args:
        folder: a run folder, or the folder of one training.

    Raises:
        RunFolderError: a report is damaged.
    """
    reports = [*folder.glob(REPORT), *folder.glob(f"distill/*/{REPORT}")]
    results = [_saved(path) for path in sorted(reports)]
    return sorted(results, key=lambda student: student.val.merit, reverse=True)


def _saved(path: Path) -> SavedStudent:
    content = read_json(path)
    try:
        report = with_measures(content)
        metrics = dict(report["metrics"])
        return SavedStudent(
            folder=path.parent,
            architecture=str(report["architecture"]),
            loss=str(metrics["loss"]),
            val=Measure.from_json(report["val"]),
            signature=read_signature(report),
            metrics=metrics,
            digests=_digests(report),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{path} is damaged ({error!r}): distill again in another folder"
        ) from error


def _digests(report: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of files by name from a report; empty for DisWOT 0.1.0."""
    return {str(name): str(digest) for name, digest in dict(report.get("digests", {})).items()}


def _check_digest(path: Path, digests: Mapping[str, str]) -> None:
    """Make sure that a file has not changed since its training ended.

    Raises:
        RunFolderError: its SHA-256 differs.
    """
    expected = digests.get(path.name)
    if expected is not None and path.is_file() and digest_of(path) != expected:
        raise RunFolderError(
            f"{path} is damaged (its SHA-256 is not the one in {REPORT}): restore it from a copy, "
            f"or remove {path.parent}, and its training is done again"
        )
