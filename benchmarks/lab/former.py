"""The default score next to its first version on cells: `python -m benchmarks.lab.former WORK`.

Both are measured in the same initialization of the same cells of NAS-Bench-201, with 16 images.
WORK has the measurements so far; run again, it resumes.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import torch

from benchmarks.all_cells import TARGETS
from benchmarks.lab.rivals import rows_of
from benchmarks.results_folder import keep
from diswot.bench.correlation import scores_of
from diswot.bench.ground_truths import find_truth
from diswot.bench.measurement import MeasurementSettings, measure
from diswot.cli import displayed_progress, options
from diswot.options import DEFAULT_SCORER
from diswot.tasks.images import data_root as find_root

FORMER = "student_fit_1"
CELLS, IMAGES = 1_000, 16


@click.command()
@options.DATA_ROOT
@click.argument("work", type=click.Path(path_type=Path))
def main(data_root: str | None, work: Path) -> None:
    """Write benchmarks/results/former-score.csv."""
    torch.set_num_threads(1)
    started, root = datetime.now(UTC), find_root(data_root)
    truth = find_truth("nas-bench-201", root).sampled(CELLS, seed=0)
    settings = MeasurementSettings(
        truth.space_name,
        TARGETS[0],
        "resnet20",
        (DEFAULT_SCORER, FORMER),
        repeats=1,
        batch_size=IMAGES,
        data_root=str(root),
    )
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    with displayed_progress() as progress:
        measured = measure(settings, names, work, progress=progress)
    results = [  # the former score is the sum of three terms
        replace(item, terms={**item.terms, FORMER: (float(score),)})
        for item, score in zip(measured, scores_of(measured, FORMER), strict=True)
    ]
    rows = [
        row
        for target in TARGETS
        for row in rows_of(target, results, truth.accuracies(target), (FORMER,), images=IMAGES)
    ]
    keep("former-score", rows, {"cells": CELLS, "images": IMAGES}, started, work=work)


if __name__ == "__main__":
    main()
