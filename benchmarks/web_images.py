"""Students that are distilled on a pool of other images, with and without the parts of KD³.

`python -m benchmarks.web_images --work runs/web-images` writes `results/web-images.csv` and
`results/web-images-epochs.csv`. If it is interrupted, the same command resumes with the trainings
that are left.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import torch
from torch import nn

from benchmarks.results_folder import keep
from diswot.bench.paired import paired_p
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.methods import Workshop, find_method
from diswot.methods.web_images import WebImagesMethod, mix_distribution
from diswot.networks import ActivationReader
from diswot.options import filled
from diswot.progress import silent
from diswot.search import find_space
from diswot.tasks import TrainingBatches, data_root
from diswot.tasks.images import ImageData, Split, mixed_digits, style_shifted, with_pool
from diswot.training import Distillation, TrainedTeacher, prepare_distillation

POOL = "mixed-digits"
BATCH = 64


@dataclass(frozen=True)
class Arm:
    """One way to distill on the pool.

    Attributes:
        options: options of the method.
        against: arm with which it is compared.
        loss: the loss; by default that of the method.
    """

    options: Mapping[str, Any]
    against: str | None = None
    loss: str | None = None


OWN: Mapping[str, Any] = {"share_classifier": False, "contrast_weight": 0.0}
SHARED: Mapping[str, Any] = {"contrast_weight": 0.0}
ARMS: Mapping[str, Arm] = {
    "whole pool": Arm({**OWN, "pool_selection": "all"}),
    "one threshold": Arm({**OWN, "pool_selection": "threshold"}, "whole pool"),
    "dynamic": Arm({**OWN}, "whole pool"),
    "shared classifier": Arm(SHARED, "dynamic"),
    "MixDistribution": Arm({}, "shared classifier"),
    "unweighted": Arm(SHARED, "shared classifier", "kd3(weighted=False)"),
    "teacher selects": Arm({**SHARED, "pool_selection": "teacher"}, "shared classifier"),
}


@dataclass(frozen=True)
class WebImagesSettings:
    """What is compared: one student, the same number of steps in every arm.

    Attributes:
        data: the dataset of teacher, validation and test.
        pool: the images that students are trained on.
        teacher: the teacher, trained once on the training images.
        space: space of the student.
        student: its architecture.
        seeds: number of seeds of students.
        epochs: epochs of a training.
        images: images per epoch.
    """

    data: str = "digits"
    pool: str = POOL
    teacher: str = "resnet20"
    space: str = "thin"
    student: str = "stem=5,expansion=2,width1=8,depth1=2,kernel1=3,width2=16,depth2=2,kernel2=3"
    seeds: int = 3
    epochs: int = 12
    images: int = 1600


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
        p: two-sided p-value of this difference (paired t-test).
        shifted: mean accuracy on test images in other styles.
        selected: share of the pool that the last epoch used.
        precision: share of digits among the selected images of the last epoch.
        cosine: mean cosine of the features of a test image and of its copy with the statistics of
            another one.
    """

    arm: str
    seeds: int
    accuracy: float
    sd: float | None = None
    against: str | None = None
    difference: float | None = None
    p: float | None = None
    shifted: float | None = None
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
        precision: share of digits among the selected images; 0.5625 of the pool are digits.
    """

    arm: str
    epoch: int
    selected: float
    precision: float


@dataclass
class Observed:
    """Selected share and precision of every epoch."""

    selected: list[float] = field(default_factory=list)
    precision: list[float] = field(default_factory=list)


class ObservedMethod(WebImagesMethod):
    """The method, with a record of whether selected images show digits."""

    def __init__(self, *args: Any, observed: Observed, **other: Any) -> None:
        super().__init__(*args, **other)
        self._observed = observed

    def start_epoch(self, epoch: int, epochs: int, batches: TrainingBatches) -> None:
        """Select the images of an epoch, and compare the selection with the hidden labels."""
        super().start_epoch(epoch, epochs, batches)
        is_digit = mixed_digits().labels < 10
        self._observed.selected.append(float(self.kept.double().mean()))
        self._observed.precision.append(float(is_digit[self.kept].double().mean()))


@cache
def _distillation(settings: WebImagesSettings) -> Distillation:
    return prepare_distillation(settings.teacher, data=settings.data, epochs=20, device="cpu")


def _one(settings: WebImagesSettings, task: tuple[str, int]) -> dict[str, Any]:
    name, seed = task
    distillation, method, arm = _distillation(settings), find_method("web-images"), ARMS[name]
    data = cast(ImageData, distillation.data)
    options = filled(method.options, {"images_per_epoch": settings.images, **arm.options})
    teacher = cast(TrainedTeacher, distillation.teacher).source
    space = find_space(settings.space, data.signature)
    root = data_root(None)
    workshop = Workshop(lambda: teacher, space, data, root, "cpu", seed, options, silent)
    student = method.source(workshop).student(space.from_string(settings.student), seed=seed)
    observed = Observed()
    pooled = cast(Any, partial(with_pool, pool=settings.pool))
    make = partial(ObservedMethod, options=options, with_pool=pooled, observed=observed)
    recipe = replace(distillation.recipe, epochs=settings.epochs, batch_size=BATCH, seed=seed)
    training = replace(distillation, recipe=recipe, make=cast(Any, make)).train(
        student, loss=arm.loss or method.losses(data.task, options)[0]
    )
    shifted = Split(style_shifted(data.test.images, seed=1), data.test.labels)
    on_shifted = data.metrics[0].measure(student, replace(data, test=shifted), "test")
    return {
        "arm": name,
        "seed": seed,
        "accuracy": training.test.value,
        "shifted": on_shifted.value,
        "cosine": view_cosine(student, data),
        **asdict(observed),
    }


@torch.no_grad()
def view_cosine(student: nn.Module, data: ImageData) -> float:
    """Return the mean cosine of features of test images and of copies with mixed statistics."""
    images = data.normalize(data.test.images)
    partners = torch.arange(len(images)).roll(1)
    mixed = mix_distribution(images, torch.zeros(len(images)), partners)
    with ActivationReader(student.eval()) as read:
        one, other = (
            torch.cat([read(part).features for part in torch.split(view, 250)])
            for view in (images, mixed)
        )
    return float(torch.cosine_similarity(one, other).mean())


def _rows(
    settings: WebImagesSettings, records: Mapping[Any, Mapping[str, Any]]
) -> list[WebImagesRow]:
    def of(arm: str, key: str) -> Any:
        return np.array([records[arm, seed][key] for seed in range(settings.seeds)])

    rows = []
    for name, arm in ARMS.items():
        accuracy = of(name, "accuracy")
        row = WebImagesRow(
            name,
            settings.seeds,
            float(accuracy.mean()),
            float(accuracy.std(ddof=1)),
            shifted=float(of(name, "shifted").mean()),
            selected=float(of(name, "selected")[:, -1].mean()),
            precision=float(of(name, "precision")[:, -1].mean()),
            cosine=float(of(name, "cosine").mean()),
        )
        if arm.against is not None:
            difference = accuracy - of(arm.against, "accuracy")
            mean, p = float(difference.mean()), paired_p(difference)
            row = replace(row, against=arm.against, difference=mean, p=p)
        rows.append(row)
    teacher = cast(TrainedTeacher, _distillation(settings).teacher)  # one is always given
    return [*rows, WebImagesRow("teacher", 1, teacher.test.value)]


def _epochs(
    settings: WebImagesSettings, records: Mapping[Any, Mapping[str, Any]]
) -> list[EpochRow]:
    rows = []
    for arm in ARMS:
        means = {
            key: np.mean([records[arm, seed][key] for seed in range(settings.seeds)], axis=0)
            for key in ("selected", "precision")
        }
        pairs = zip(means["selected"], means["precision"], strict=True)
        rows += [EpochRow(arm, n, float(s), float(p)) for n, (s, p) in enumerate(pairs, 1)]
    return rows


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Trainings so far.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
def main(work: Path, workers: int) -> None:
    """Train all arms, and write the tables."""
    settings, started = WebImagesSettings(), datetime.now(UTC)
    tasks = [(arm, seed) for seed in range(settings.seeds) for arm in ARMS]
    with displayed_progress() as progress:
        records = Trainings(asdict(settings), work, key=["arm", "seed"]).run(
            tasks,
            partial(_one, settings),
            before=partial(_distillation, settings),
            workers=workers,
            progress=progress,
        )
    keep("web-images", _rows(settings, records), asdict(settings), started)
    keep("web-images-epochs", _epochs(settings, records), asdict(settings), started)


if __name__ == "__main__":
    main()
