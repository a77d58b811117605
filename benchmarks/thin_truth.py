"""The ground truth of thin networks: all seeds of an architecture are trained in one pass.

`python -m benchmarks.thin_truth --out thin`

Each training is that of `diswot bench make-truth`: the same initial weights, examples, loss and
schedule. Interrupted, the same command resumes.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, cast

import click
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.results_folder import keep
from benchmarks.stacked_training import Examples, Stack, fit
from diswot.bench.make_truth import TruthSettings
from diswot.bench.record_store import RecordStore
from diswot.bench.trainings import distillation_for, student_in
from diswot.cli import displayed_progress, options
from diswot.networks.costs import Costs, measure_costs
from diswot.progress import Progress, Step
from diswot.search import find_space
from diswot.seeding import generator_for
from diswot.tasks import Dataset
from diswot.tasks.images import ImageData
from diswot.training import Batches, Distillation, Recipe, TrainedTeacher

SMALLEST, LARGEST = 1_000, 20_000
"""Parameters of the networks that are trained."""

SHORT = 4
"""Epochs of a short training, a fifth of a full one."""

PASSES = 100
"""Of which the fastest is a network's latency: other work on a machine only slows it down."""

ALONE, DISTILLED = "vanilla", "distilled"
SETTINGS = TruthSettings(space="thin", teacher="resnet56", epochs=20, batch_size=16, sample=320)


@dataclass(frozen=True)
class ThinRow:
    """Test accuracies in % of one architecture: means and standard deviations over seeds.

    Attributes:
        arch: its name in the space `thin`.
        vanilla: trained alone.
        distilled: distilled from the teacher.
        short: distilled for `SHORT` epochs, accuracy on the validation split.
        short_0: of them the first seed, as the next two.
        short_1: the second.
        short_2: the third.
        vanilla_sd: between seeds, as the next one.
        distilled_sd: between seeds.
        seeds: how many.
        params: parameters.
        macs: multiply-adds of one image.
        latency_ms: of one image in PyTorch with one thread: the fastest of `PASSES`, on the
            machine that made the table.
    """

    arch: str
    vanilla: float
    distilled: float
    short: float
    short_0: float
    short_1: float
    short_2: float
    vanilla_sd: float
    distilled_sd: float
    seeds: int
    params: int
    macs: int
    latency_ms: float


class Trainings:
    """The trainings of a truth: examples and teacher outputs are made once for each seed."""

    def __init__(self, settings: TruthSettings) -> None:
        self.settings = settings
        self._examples: dict[tuple[int, int], list[Examples]] = {}

    @cached_property
    def distillation(self) -> Distillation:
        """The teacher, data and recipe."""
        return distillation_for(self.settings)

    @property
    def data(self) -> ImageData:
        """The images."""
        return cast(ImageData, self.distillation.data)

    def record(
        self, arch: str, targets: Sequence[str], *, seeds: Sequence[int] | None = None
    ) -> list[dict[str, Any]]:
        """Train an architecture with several seeds (by default all); return the records.

        The trainings of an architecture run together, so each has the same share of the seconds.
        """
        started = time.perf_counter()
        chosen = range(self.settings.seeds) if seeds is None else seeds
        replicas = [(seed, target) for seed in chosen for target in targets]
        recipe = self.distillation.recipe
        networks = [
            student_in(self.settings.space, arch, self.data, seed=s).train() for s, _ in replicas
        ]
        soft = torch.tensor([target == DISTILLED for _, target in replicas])
        examples = [self.examples(seed, recipe) for seed, _ in replicas]
        result = fit(Stack(networks), examples, soft, recipe, self.data)
        seconds = round((time.perf_counter() - started) / len(replicas), 3)
        return [
            {"arch": arch, "seed": seed, "target": target, **asdict(item), "seconds": seconds}
            for (seed, target), item in zip(replicas, result, strict=True)
        ]

    def examples(self, seed: int, recipe: Recipe) -> list[Examples]:
        """Return the steps of a training, its epochs one after the other."""
        key = (seed, recipe.epochs)
        if key not in self._examples:
            self._examples[key] = [*self._made(replace(recipe, seed=seed))]
        return self._examples[key]

    def _made(self, recipe: Recipe) -> Iterator[Examples]:
        teacher = cast(TrainedTeacher, self.distillation.teacher)  # one is always given
        batches = Batches(self.data.size("train"), self.data.training(recipe), recipe)
        network = teacher.network.eval()
        for epoch in range(recipe.epochs):
            for batch in batches.epoch(epoch, range(batches.steps)):
                with torch.no_grad():
                    logits = network(batch.inputs[0])
                labels = cast(Tensor, batch.labels)  # images have them
                yield Examples(batch.inputs[0], labels, logits)


def samples(name: str, data: Dataset) -> Iterator[tuple[str, Costs]]:
    """Yield random architectures of a space with their costs, without end."""
    space, rng = find_space(name, data.signature), generator_for(0, "truth", name)
    while True:
        arch = space.sample(rng)
        build = partial(space.network, arch, data.signature)
        yield space.to_string(arch), measure_costs(build, data.signature)


def drawn(count: int, data: ImageData) -> dict[str, Costs]:
    """Draw different architectures of 1,000 to 20,000 parameters, with their costs."""
    results: dict[str, Costs] = {}
    drawing = samples("thin", data)
    while len(results) < count:
        arch, costs = next(drawing)
        if SMALLEST <= costs.params <= LARGEST:
            results.setdefault(arch, costs)
    return results


def train_all(
    trainings: Trainings,
    archs: Collection[str],
    targets: Sequence[str],
    *,
    out: Path,
    progress: Progress,
) -> dict[Any, Any]:
    """Train architectures; resumed where it stopped."""
    settings, last = trainings.settings, trainings.settings.seeds - 1
    with RecordStore(out, settings.recorded(), key=["arch", "seed", "target"]) as store:
        for done, arch in enumerate(archs, start=1):
            if (arch, last, targets[-1]) not in store.records:
                store.append(*trainings.record(arch, targets))
            progress(Step("train", done, len(archs), f"{settings.epochs} epochs, {arch}"))
        return store.records


def thin_truth(settings: TruthSettings, out: Path, *, progress: Progress) -> list[ThinRow]:
    """Train the architectures in full, alone and distilled, and briefly, distilled."""
    full, brief = Trainings(settings), Trainings(replace(settings, epochs=SHORT))
    data = full.data
    costs = drawn(settings.sample or 0, data)
    whole = train_all(full, costs, (ALONE, DISTILLED), out=out / "whole", progress=progress)
    short = train_all(brief, costs, (DISTILLED,), out=out / "short", progress=progress)
    seeds = range(settings.seeds)
    return [
        _row(
            arch,
            replace(item, latency_ms=latency(student_in("thin", arch, data, seed=0))),
            {t: [whole[arch, s, t]["test"] for s in seeds] for t in (ALONE, DISTILLED)},
            [max(short[arch, s, DISTILLED]["curve"]) for s in seeds],
        )
        for arch, item in costs.items()
    ]


@torch.inference_mode()
def latency(network: nn.Module) -> float:
    """Return the milliseconds of the fastest pass of one image."""
    image, seconds = torch.zeros(1, 1, 16, 16), []
    network.eval()
    for _ in range(PASSES):
        started = time.perf_counter()
        network(image)
        seconds.append(time.perf_counter() - started)
    return round(1e3 * min(seconds), 4)


def _row(
    arch: str, costs: Costs, found: Mapping[str, Sequence[float]], short: Sequence[float]
) -> ThinRow:
    means = {target: round(float(np.mean(values)), 3) for target, values in found.items()}
    sds = {f"{target}_sd": round(float(np.std(v, ddof=1)), 3) for target, v in found.items()}
    of_seeds = {f"short_{seed}": value for seed, value in enumerate(short)}
    return ThinRow(
        arch=arch,
        short=round(float(np.mean(short)), 3),
        seeds=len(short),
        params=costs.params,
        macs=costs.macs,
        latency_ms=costs.latency_ms or 0.0,
        **of_seeds,
        **means,
        **sds,
    )


@click.command()
@options.DATA_ROOT
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
def main(data_root: str | None, out: Path) -> None:
    """Train the networks of the ground truth `digits-thin`."""
    torch.set_num_threads(1)
    started, settings = datetime.now(UTC), replace(SETTINGS, data_root=data_root)
    with displayed_progress() as progress:
        rows = thin_truth(settings, out, progress=progress)
    provenance: dict[str, Any] = {"settings": settings.recorded(), "short_epochs": SHORT}
    provenance["command"] = "python -m benchmarks.thin_truth"
    keep("digits-thin", rows, provenance, started, work=out)


if __name__ == "__main__":
    main()
