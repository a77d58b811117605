"""The ground truth of mobile networks: students of one teacher on photos of 20 classes.

`python -m benchmarks.mobile_truth --out mobile --minutes 9`

The students are drawn from the space `mobile`, the same number for each range of parameters.
Interrupted or out of time, the same command resumes; when the last training is done, it writes
the table.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from benchmarks.results_folder import keep
from benchmarks.thin_truth import DISTILLED, Trainings, samples
from diswot.bench.make_truth import TruthSettings
from diswot.bench.record_store import RecordStore
from diswot.cli import displayed_progress, options
from diswot.networks.costs import Costs
from diswot.progress import Step
from diswot.tasks import Dataset

SMALLEST, LARGEST = 20_000, 5_000_000
"""Range of the number of parameters."""

RANGES = 10
"""Number of ranges of parameters, of equal width in the logarithm."""

PER_RANGE = 4
"""Students of each range."""

AGAIN = 2
"""Students of each range that are also trained with a second seed."""

SETTINGS = TruthSettings(
    space="mobile",
    data="tiny-imagenet-20",
    image_size=32,
    teacher="resnet20",
    teacher_epochs=30,
    epochs=10,
    batch_size=32,
    seeds=1,
    sample=RANGES * PER_RANGE,
)


@dataclass(frozen=True)
class MobileRow:
    """A student of the table.

    Attributes:
        arch: its name in the space `mobile`.
        distilled: test accuracy in %, distilled with the first seed.
        validation: accuracy in % on the validation split after the best epoch.
        second_seed: test accuracy in % with the second seed, if it was trained with it.
        params: parameters.
        macs: multiply-adds of one image.
    """

    arch: str
    distilled: float
    validation: float
    second_seed: float | None
    params: int
    macs: int


def drawn(data: Dataset) -> dict[str, Costs]:
    """Draw architectures until every range of parameters has the same number of them.

    Returns:
        Architecture → costs, by increasing number of parameters.
    """
    drawing = samples("mobile", data)
    edges = np.geomspace(SMALLEST, LARGEST, RANGES + 1)
    result: dict[int, dict[str, Costs]] = {number: {} for number in range(RANGES)}
    while any(len(members) < PER_RANGE for members in result.values()):
        arch, costs = next(drawing)
        number = int(np.searchsorted(edges, costs.params)) - 1
        if 0 <= number < RANGES and len(result[number]) < PER_RANGE:
            result[number].setdefault(arch, costs)
    members = [item for number in range(RANGES) for item in result[number].items()]
    return dict(sorted(members, key=lambda item: item[1].params))


def planned(archs: Sequence[str]) -> list[tuple[str, int]]:
    """Return the trainings: every student with seed 0, then some of each range with seed 1.

    Args:
        archs: architectures by increasing number of parameters.

    Returns:
        Pairs of architecture and seed; the first ones are of all ranges.
    """
    rounds = [archs[first::PER_RANGE] for first in range(PER_RANGE)]
    again = [arch for members in rounds[:AGAIN] for arch in members]
    return [*((arch, 0) for members in rounds for arch in members), *((arch, 1) for arch in again)]


def train_some(
    settings: TruthSettings, out: Path, *, minutes: float
) -> tuple[list[MobileRow], bool]:
    """Train students until all are trained or the time is over.

    Args:
        settings: data, teacher and recipe.
        out: a new folder, or one to resume.
        minutes: time after which no further training starts.

    Returns:
        The rows of the table, none before all students are trained with the first seed; and
        whether no training is left.
    """
    trainings = Trainings(settings)
    data, until = trainings.data, time.monotonic() + 60 * minutes
    costs = drawn(data)
    tasks = planned(list(costs))
    recorded = RecordStore(out, settings.recorded(), key=["arch", "seed"])
    with recorded as store, displayed_progress() as progress:
        for done, (arch, seed) in enumerate(tasks, start=1):
            if (arch, seed) not in store.records:
                if time.monotonic() > until:
                    break
                store.append(trainings.record(arch, (DISTILLED,), seeds=(seed,))[0])
            progress(Step("train", done, len(tasks), arch))
        if any((arch, 0) not in store.records for arch in costs):
            return [], False
        rows = [_row(arch, item, store.records) for arch, item in costs.items()]
        return rows, all(task in store.records for task in tasks)


def _row(arch: str, costs: Costs, records: Any) -> MobileRow:
    first, second = records[arch, 0], records.get((arch, 1))
    return MobileRow(
        arch=arch,
        distilled=first["test"],
        validation=max(first["curve"]),
        second_seed=None if second is None else second["test"],
        params=costs.params,
        macs=costs.macs,
    )


@click.command()
@options.DATA_ROOT
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
@click.option("--minutes", type=float, default=600.0, help="When to stop before the next training.")
def main(data_root: str | None, out: Path, minutes: float) -> None:
    """Train the networks of the ground truth `tiny-imagenet-mobile`."""
    torch.set_num_threads(1)
    started, settings = datetime.now(UTC), replace(SETTINGS, data_root=data_root)
    rows, complete = train_some(settings, out, minutes=minutes)
    if rows:
        provenance = {
            "settings": settings.recorded(),
            "command": "python -m benchmarks.mobile_truth",
        }
        keep("tiny-imagenet-mobile", rows, provenance, started, work=out)
    if not complete:
        click.echo(f"trainings are left: run the same command again to resume {out}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
