"""Measure the lab book's raw quantities: `python -m benchmarks.lab.measure NAME…`.

Interrupted, what was measured is kept in --work, and the same command resumes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.lab.quantities import COUNTS, QUANTITIES, WIDE
from diswot.bench.ground_truths import GroundTruth, find_truth
from diswot.bench.measurement import MeasurementSettings, measure
from diswot.cli import displayed_progress, options
from diswot.tasks.images import data_root as find_root

SCORERS = (
    "az_expressivity",
    "az_progressivity",
    "size_ln",
    "trainable_layers",
    "params",
    *QUANTITIES,
)
"""What shares the passes of `student_fit_1`."""
ALIGNED = tuple(name for name in QUANTITIES if name.startswith("alignment"))
"""Those of them that depend on the images."""
WIDELY = (*SCORERS, *WIDE, "az_trainability")
PUBLISHED = ("diswot", "vkdnw_agg")
IMAGES = (4, 8, 16, 32, 64, 128)
"""Images in a batch, of which a curve is drawn."""


@dataclass(frozen=True)
class Experiment:
    """One folder of raw quantities.

    Attributes:
        truth: a ground truth, whose architectures are measured.
        target: what it was trained on decides the images.
        batch_size: images in a batch.
        state: of the teacher.
        teacher: where it is trained; at random it is ResNet-110.
        sample: architectures, drawn at random; 0 for all.
        repeats: initializations and batches.
        reused: experiments whose values are taken over: counts, and the passes of noise of
            an experiment on other images (the same networks except for their classifiers, which
            are drawn last).
        scorers: what is measured.
    """

    truth: str
    target: str
    batch_size: int
    state: str = "trained"
    teacher: str = "resnet56"
    sample: int = 0
    repeats: int = 5
    reused: tuple[str, ...] = ()
    scorers: tuple[str, ...] = SCORERS


def _counts(truth: str, target: str) -> Experiment:
    return Experiment(truth, target, 16, "random", repeats=1, scorers=COUNTS)


def _better(truth: str, target: str, batch_size: int, counts: str, sample: int = 0) -> Experiment:
    return Experiment(
        truth,
        target,
        batch_size,
        teacher="resnet20",
        sample=sample,
        reused=(counts,),
        scorers=ALIGNED,
    )


def _curve(truth: str, target: str, repeats: int, sample: int = 0) -> dict[int, Experiment]:
    return {
        images: Experiment(
            truth, target, images, sample=sample, repeats=repeats, scorers=("student_fit_1",)
        )
        for images in IMAGES
    }


EXPERIMENTS: Mapping[str, Experiment] = {
    "resnet-s0-counts": _counts("resnet-s0", "distilled"),
    "autoformer-counts": _counts("autoformer", "distilled"),
    "cells-counts": _counts("nas-bench-201", "cifar100"),
    "digits-s0-counts": _counts("digits-s0", "distilled"),
    "resnet-s0": Experiment("resnet-s0", "distilled", 64, reused=("resnet-s0-counts",)),
    "resnet-s0-random": Experiment(
        "resnet-s0", "distilled", 64, "random", reused=("resnet-s0-counts",)
    ),
    "autoformer": Experiment("autoformer", "distilled", 16, reused=("autoformer-counts",)),
    "autoformer-random": Experiment(
        "autoformer", "distilled", 16, "random", repeats=3, reused=("autoformer-counts",)
    ),
    "cells-cifar100": Experiment("nas-bench-201", "cifar100", 16, reused=("cells-counts",)),
    "cells-cifar10": Experiment(
        "nas-bench-201", "cifar10", 16, reused=("cells-cifar100",), scorers=ALIGNED
    ),
    "resnet-s0-better": _better("resnet-s0", "distilled", 64, "resnet-s0"),
    "autoformer-better": _better("autoformer", "distilled", 16, "autoformer"),
    "cells-better": _better("nas-bench-201", "cifar100", 16, "cells-cifar100", sample=1000),
    "cells-random": Experiment(
        "nas-bench-201", "cifar100", 16, "random", sample=1000, reused=("cells-counts",)
    ),
    "digits-s0": Experiment("digits-s0", "distilled", 64, reused=("digits-s0-counts",)),
    "resnet-s0-published": Experiment(
        "resnet-s0", "distilled", 32, "random", repeats=3, scorers=PUBLISHED
    ),
    "resnet-s0-wide": Experiment(
        "resnet-s0",
        "distilled",
        32,
        repeats=2,
        reused=("resnet-s0-counts",),
        scorers=WIDELY,
    ),
    "autoformer-wide": Experiment(
        "autoformer",
        "distilled",
        8,
        repeats=1,
        reused=("autoformer-counts",),
        scorers=WIDELY,
    ),
    "cells-wide": Experiment(
        "nas-bench-201",
        "cifar100",
        32,
        sample=400,
        repeats=1,
        reused=("cells-counts",),
        scorers=WIDELY,
    ),
    **{f"resnet-s0-{n}-images": of for n, of in _curve("resnet-s0", "distilled", 3).items()},
    **{
        f"cells-{n}-images": of
        for n, of in _curve("nas-bench-201", "cifar100", 1, sample=500).items()
    },
}
"""Folder name → experiment."""


@click.command()
@options.DATA_ROOT
@click.option("--teachers", type=click.Path(path_type=Path), required=True)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/lab"))
@click.argument("names", nargs=-1, type=click.Choice(list(EXPERIMENTS)))
def main(
    data_root: str | None, teachers: Path, workers: int, work: Path, names: tuple[str, ...]
) -> None:
    """Measure all experiments, or those named.

    --teachers holds teacher-DATA/best.safetensors and teacher-better/best.safetensors.
    """
    with displayed_progress() as progress:
        for name in names or EXPERIMENTS:
            settings, truth = settings_of(EXPERIMENTS[name], teachers, data_root)
            architectures = [truth.space.to_string(arch) for arch in truth.architectures]
            measure(settings, architectures, work / name, workers=workers, progress=progress)


def settings_of(
    experiment: Experiment, teachers: Path, data_root: str | None
) -> tuple[MeasurementSettings, GroundTruth]:
    """Return settings and architectures of an experiment."""
    truth = find_truth(experiment.truth, find_root(data_root))
    if experiment.sample:
        truth = truth.sampled(experiment.sample, seed=0)
    data = truth.dataset(experiment.target)
    settings = MeasurementSettings(
        space=truth.space_name,
        data=data,
        teacher="resnet110",
        scorers=experiment.scorers,
        repeats=experiment.repeats,
        batch_size=experiment.batch_size,
        modules=("benchmarks.lab.quantities",),
        data_root=data_root,
    )
    if experiment.state == "trained":
        folder = f"teacher-{data}" if experiment.teacher == "resnet56" else "teacher-better"
        settings = replace(
            settings,
            teacher=experiment.teacher,
            teacher_state="trained",
            teacher_weights=str(teachers / folder / "best.safetensors"),
        )
    return settings, truth


if __name__ == "__main__":
    main()
