"""All 15,625 cells of NAS-Bench-201 scored at once: how long it takes, and how well they rank."""

import resource
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diswot.bench.ground_truths import find_truth
from diswot.bench.measurement import MeasurementSettings, measure
from diswot.bench.rank_statistics import kendall
from diswot.errors import OptionError
from diswot.options import DEFAULT_SCORER
from diswot.progress import Progress

SCORERS = ("semantic_grad", "relation", "nwot")
TARGETS = ("cifar100", "cifar10")


@dataclass(frozen=True)
class AllCells:
    """Time and memory of scoring every cell, including the start of the processes.

    Attributes:
        scorers: the scores, joined by spaces.
        architectures: number of cells, for each of which costs are counted.
        classes: number of isomorphism classes, each of which is scored once.
        workers: number of processes.
        minutes: total time in minutes.
        gib: this process's peak memory and that of the largest worker times `workers`.
        ms_per_class: milliseconds per class, summed over processes.
        kendall: Kendall's τ of the default score with the accuracies on CIFAR-100 and on
            CIFAR-10, joined by a space; empty if it is not among the scores.
    """

    scorers: str
    architectures: int
    classes: int
    workers: int
    minutes: float
    gib: float
    ms_per_class: float
    kendall: str


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
    truth = find_truth("nas-bench-201", root)
    cells = [truth.space.to_string(arch) for arch in truth.architectures]
    settings = MeasurementSettings(
        "nas-bench-201", "cifar100", "resnet110", scorers, repeats=1, data_root=str(root)
    )
    started = time.perf_counter()
    measured = measure(settings, cells, folder, workers=workers, progress=progress)
    seconds = time.perf_counter() - started
    classes = len({truth.space.canonical_key(arch) for arch in truth.architectures})
    taus = []
    if DEFAULT_SCORER in scorers:
        scores = np.array([item.terms[DEFAULT_SCORER][0] for item in measured])
        taus = [kendall(scores, truth.accuracies(target)) for target in TARGETS]
    return AllCells(
        scorers=" ".join(scorers),
        architectures=len(cells),
        classes=classes,
        workers=workers,
        minutes=seconds / 60,
        gib=(_peak(resource.RUSAGE_SELF) + workers * _peak(resource.RUSAGE_CHILDREN)) / 2**20,
        ms_per_class=1e3 * seconds * workers / classes,
        kendall=" ".join(f"{tau:.4f}" for tau in taus),
    )


def _peak(who: int) -> int:
    """Return the peak memory of this process or of the largest that has ended, in KiB."""
    return resource.getrusage(who).ru_maxrss
