"""Trained students in a run folder: `distill/NAME/` with weights, metrics and a report."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diswot.devices import is_first
from diswot.errors import RunFolderError
from diswot.runs import digest_of
from diswot.runs.folder import check_new_folder, read_json, write_record
from diswot.tasks import Measure, read_signature, with_measures
from diswot.training._checkpoint import CHECKPOINT
from diswot.training._files import BEST, LAST
from diswot.training._manifest import MANIFEST
from diswot.training._metrics import METRICS, read_metrics
from diswot.training._trained import Training
from search_spaces import Signature

REPORT = "report.json"

ROUNDS = "shortlist"
"""Where the trainings of a shortlist are kept, except for the last one."""


@dataclass(frozen=True)
class SavedStudent:
    """A student that was trained.

    Attributes:
        folder: where its weights and metrics are.
        architecture: its name in its search space.
        loss: what it was trained with.
        val: measure on the validation split, by which students are selected.
        signature: what it takes and gives.
        metrics: what was measured of it, for `config.json`.
        digests: SHA-256 of files of its training, by name, as they were when it ended.
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
        """Its measure on the test split, where it is known."""
        return Measure.from_json(self.metrics["test"]) if "test" in self.metrics else None

    @property
    def weights(self) -> Path:
        """The weights of its best epoch.

        Raises:
            RunFolderError: they are not those that the training ended with.
        """
        path = self.folder / BEST
        _check_digest(path, self.digests)
        return path


def training_folder(path: str | Path) -> Path:
    """Return the folder for a training: an empty one, or one in which a training was stopped.

    Of several processes that train together the first looks, since it writes there.

    Raises:
        RunFolderError: there is something else in it, or it cannot be written.
    """
    folder = Path(path)
    if is_first() and not is_unfinished(folder):
        check_new_folder(folder)
    return folder


def is_unfinished(folder: Path) -> bool:
    """Return whether a training, or one of a shortlist, was stopped in a folder."""
    try:
        if (folder / CHECKPOINT).exists():
            return True
        started = (folder / ROUNDS).is_dir() or (folder / MANIFEST).exists()
        return started and not (folder / REPORT).exists()
    except OSError:  # a name that cannot be; whoever writes there says so
        return False


def folder_name(loss: str, *more: str) -> str:
    """Return the name of a folder for a loss, and what else makes the training what it is.

    Where that is more than letters, digits, `-`, `.` and `=`, a hash makes it unique.

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
    """Write what came of a training next to its weights."""
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
    """Read back what came of a training that ended.

    Raises:
        RunFolderError: there is none, or it is damaged.
    """
    report = read_json(folder / REPORT)
    try:
        _check_digest(folder / METRICS, _digests(report))
        history = read_metrics(folder)
        return Training(
            str(report["metrics"]["loss"]),
            history,
            int(report["best_epoch"]),
            Measure.from_json(report["val"]),
            Measure.from_json(report["test"]),
            float(report["seconds"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise RunFolderError(
            f"{folder} is damaged ({error!r}): remove it, and its training is done again"
        ) from error


def saved_students(folder: Path) -> list[SavedStudent]:
    """Return the students that were trained in a run folder, best on the validation split first.

    Args:
        folder: a run folder, or the folder of one training.

    Raises:
        RunFolderError: a report is damaged.
    """
    reports = [*folder.glob(REPORT), *folder.glob(f"distill/*/{REPORT}")]
    found = [_saved(path) for path in sorted(reports)]
    return sorted(found, key=lambda student: student.val.merit, reverse=True)


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
    """Return what a report says of the files next to it; nothing in those of DisWOT 0.1.0."""
    return {str(name): str(digest) for name, digest in dict(report.get("digests", {})).items()}


def _check_digest(path: Path, digests: Mapping[str, str]) -> None:
    """Make sure that a file is the one that a training ended with.

    Raises:
        RunFolderError: it is not.
    """
    expected = digests.get(path.name)
    if expected is not None and path.is_file() and digest_of(path) != expected:
        raise RunFolderError(
            f"{path} is damaged (its SHA-256 is not the one in {REPORT}): restore it from a copy, "
            f"or remove {path.parent}, and its training is done again"
        )
