"""Students that are distilled on a pool of other images, with and without the parts of KD³.

`python -m benchmarks.web_images --work runs/web-images` writes `results/web-images.csv` and
`results/web-images-epochs.csv`; with `--cifar10` the same for samples of CIFAR-10 and Tiny
ImageNet. If it is interrupted, the same command resumes with the trainings that are left.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from benchmarks.results_folder import keep
from benchmarks.web_trainings import (
    ARMS,
    CIFAR,
    MAIN,
    WebImagesSettings,
    distillation_of,
    familiar_images,
    one_training,
)
from diswot.bench.paired import paired_interval, paired_p
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress, options
from diswot.training import TrainedTeacher


@dataclass(frozen=True)
class WebImagesRow:
    """Results of one arm; fractions from 0 to 1.

    Attributes:
        arm: what is trained.
        seeds: number of seeds.
        accuracy: mean test accuracy.
        sd: standard deviation over seeds.
        against: arm with which it is compared.
        difference: mean difference from that arm, paired by seed.
        low: lower end of the 95 % interval of this difference (Student's t).
        high: upper end of this interval.
        p: two-sided p-value of this difference (paired t-test).
        shifted: mean accuracy on test images in other styles.
        shifted_difference: mean difference of this accuracy, paired by seed.
        shifted_low: lower end of the 95 % interval of this difference.
        shifted_high: upper end of this interval.
        selected: share of the pool that the last epoch used.
        precision: share of images of the teacher's classes among those of the last epoch.
        cosine: mean cosine of the features of a test image and of its copy with the statistics of
            another one.
    """

    arm: str
    seeds: int
    accuracy: float
    sd: float | None = None
    against: str | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    shifted: float | None = None
    shifted_difference: float | None = None
    shifted_low: float | None = None
    shifted_high: float | None = None
    selected: float | None = None
    precision: float | None = None
    cosine: float | None = None


@dataclass(frozen=True)
class EpochRow:
    """The selection of one epoch, averaged over seeds.

    Attributes:
        arm: what is trained.
        epoch: number of the epoch, from 1.
        selected: share of the pool.
        precision: share of images of the teacher's classes among the selected images.
        base: this share in the whole pool.
    """

    arm: str
    epoch: int
    selected: float
    precision: float
    base: float


@dataclass(frozen=True)
class Results:
    """Records of all trainings.

    Attributes:
        seeds: number of seeds.
        records: arm and seed → record.
    """

    seeds: int
    records: Mapping[Any, Mapping[str, Any]]

    def of(self, arm: str, key: str) -> Any:
        """Return a value for every seed (seeds, …)."""
        return np.array([self.records[arm, seed][key] for seed in range(self.seeds)])

    def row(self, name: str) -> WebImagesRow:
        """Return the means of an arm, and its differences from the arm it is compared with."""
        accuracy, other = self.of(name, "accuracy"), ARMS[name].against
        row = WebImagesRow(
            name,
            self.seeds,
            float(accuracy.mean()),
            float(accuracy.std(ddof=1)),
            shifted=float(self.of(name, "shifted").mean()),
            selected=float(self.of(name, "selected")[:, -1].mean()),
            precision=float(self.of(name, "precision")[:, -1].mean()),
            cosine=float(self.of(name, "cosine").mean()),
        )
        if other is None:
            return row
        gains = accuracy - self.of(other, "accuracy")
        shifted = self.of(name, "shifted") - self.of(other, "shifted")
        (low, high), (shifted_low, shifted_high) = map(paired_interval, (gains, shifted))
        return replace(
            row,
            against=other,
            difference=float(gains.mean()),
            low=low,
            high=high,
            p=paired_p(gains),
            shifted_difference=float(shifted.mean()),
            shifted_low=shifted_low,
            shifted_high=shifted_high,
        )

    def epochs(self, name: str, base: float) -> list[EpochRow]:
        """Return the selection of every epoch of an arm."""
        selected, precision = (self.of(name, key).mean(0) for key in ("selected", "precision"))
        return [
            EpochRow(name, epoch, float(share), float(right), base)
            for epoch, (share, right) in enumerate(zip(selected, precision, strict=True), 1)
        ]


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Trainings so far.")
@options.DATA_ROOT
@click.option("--cifar10", is_flag=True, help="Samples of CIFAR-10 and Tiny ImageNet.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def main(work: Path, data_root: str | None, workers: int, *, cifar10: bool) -> None:
    """Train all arms, and write the tables."""
    settings, started = CIFAR if cifar10 else WebImagesSettings(), datetime.now(UTC)
    arms = MAIN if cifar10 else tuple(ARMS)
    tasks = [(arm, seed) for seed in range(settings.seeds) for arm in arms]
    with displayed_progress() as progress:
        records = Trainings(asdict(settings), work, key=["arm", "seed"]).run(
            tasks,
            partial(one_training, settings, data_root),
            before=partial(distillation_of, settings, data_root),
            workers=workers,
            progress=progress,
        )
    results, suffix = Results(settings.seeds, records), "-cifar10" if cifar10 else ""
    teacher = cast(TrainedTeacher, distillation_of(settings, data_root).teacher)
    rows = [*map(results.row, arms), WebImagesRow("teacher", 1, teacher.test.value)]
    base = float(familiar_images(settings.pool, data_root).double().mean())
    epochs = [row for arm in arms for row in results.epochs(arm, base)]
    for table, found in (("web-images", rows), ("web-images-epochs", epochs)):
        keep(f"{table}{suffix}", found, asdict(settings), started, work=work)


if __name__ == "__main__":
    main()
