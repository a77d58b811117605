"""All 15,625 cells of NAS-Bench-201 scored at once: how long it takes, and how much memory."""

import resource
import time
from dataclasses import dataclass
from pathlib import Path

from diswot.bench.measurement import MeasurementSettings, measure
from diswot.csv_table import read_table
from diswot.errors import OptionError
from diswot.progress import Progress
from search_spaces import NASBench201Space

SCORERS = ("semantic_grad", "relation", "nwot")


@dataclass(frozen=True)
class AllCells:
    """Time and memory of scoring every cell, including the start of the processes.

    Attributes:
        architectures: number of cells, for each of which costs are counted.
        classes: number of isomorphism classes, each of which is scored once.
        workers: number of processes.
        minutes: total time in minutes.
        gib: this process's peak memory and that of the largest worker times `workers`.
        ms_per_class: milliseconds per class, summed over processes.
    """

    architectures: int
    classes: int
    workers: int
    minutes: float
    gib: float
    ms_per_class: float


def score_all_cells(
    root: Path,
    folder: Path,
    *,
    scorers: tuple[str, ...] = SCORERS,
    workers: int = 2,
    progress: Progress,
) -> AllCells:
    """Score every cell on a batch of 64 CIFAR-100 images, next to ResNet-110 as teacher.

    Args:
        root: where tables and images lie.
        folder: a new folder for the measurements.
        scorers: names or expressions.
        workers: at least two: their memory is read when they have ended.
        progress: called with every cell.

    Raises:
        OptionError: `folder` already contains measurements, whose time is unknown.
    """
    if folder.exists():
        raise OptionError(f"{folder} exists: timing needs a new folder, so remove it")
    cells = [row["arch"] for row in read_table(root / "nas-bench-201" / "accuracies.csv")]
    settings = MeasurementSettings(
        "nas-bench-201", "cifar100", "resnet110", scorers, repeats=1, data_root=str(root)
    )
    started = time.perf_counter()
    measure(settings, cells, folder, workers=workers, progress=progress)
    seconds = time.perf_counter() - started
    space = NASBench201Space()
    classes = len({space.canonical_key(space.from_string(cell)) for cell in cells})
    return AllCells(
        architectures=len(cells),
        classes=classes,
        workers=workers,
        minutes=seconds / 60,
        gib=(_peak(resource.RUSAGE_SELF) + workers * _peak(resource.RUSAGE_CHILDREN)) / 2**20,
        ms_per_class=1e3 * seconds * workers / classes,
    )


def _peak(who: int) -> int:
    """Return the peak memory of this process or of the largest that has ended, in KiB."""
    return resource.getrusage(who).ru_maxrss
