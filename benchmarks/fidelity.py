"""How well the scorers of NAS-Bench-Suite-Zero agree with the values that it published.

`python -m benchmarks.fidelity --data-root FOLDER --sample 100 --out fidelity`
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from diswot.bench.association import spearman
from diswot.bench.correlation import BASELINES, correlate
from diswot.bench.correlation_run import CorrelationRecord, CorrelationTable, timed
from diswot.bench.ground_truths import Vector, find_truth
from diswot.bench.measurement import Measured, MeasurementSettings, measure
from diswot.bench.tables import write_csv
from diswot.cli import displayed_progress, options
from diswot.csv_table import read_table
from diswot.errors import OptionError
from diswot.networks.meta import ShapeArithmetic, build_on_meta
from diswot.progress import Progress, silent
from diswot.seeding import generator_for
from diswot.tasks.images import data_root as find_root
from search_spaces import Architecture, NASBench201Space

SCORED = (
    *("epe_nas", "fisher", "grad_norm", "grasp", "jacov", "l2_norm"),
    *("nwot", "plain", "snip", "synflow", "zen"),
)
FLOPS_AS_PUBLISHED = "flops, pooling counted"
SHAPE, CLASSES = (3, 32, 32), 10
ENOUGH, ENOUGH_OF_FLOPS, TOLERANCE = 0.95, 0.999, 0.02
AGAIN, BATCH_SIZE = 150, 32
COUNTED = ("params", "flops")
MINIMUM = 3
"""Minimum number of architectures of a ranking."""


class WholeCells(NASBench201Space):
    """NAS-Bench-201, edges without effect included, as NASLib scored it."""

    def effective(self, arch: Architecture) -> Architecture:
        """Return `arch`: all of it is scored."""
        return arch

    def canonical_key(self, arch: Architecture) -> str:
        """Return the whole cell: every architecture is scored."""
        return self.to_string(arch)


@dataclass(frozen=True)
class Fidelity:
    """One scorer on the architectures of the published table.

    The published FLOPs count, in addition to multiply-adds, two operations for each element that
    is normalized, one for each that is rectified, and k² for each output of a k×k average
    pooling. Only the last changes a rank.

    Attributes:
        scorer: its name; `flops` twice, as we count it and as the table does.
        n: number of architectures without those that failed.
        failed: number of architectures that failed.
        again: number of architectures that were scored with a second seed.
        batch_size: images in a batch.
        spearman: ρ of our values with the first seed and theirs.
        seed_to_seed: ρ of our values with two seeds, each with a batch of its own: what
            the noise of the initialization and the batch leaves of any agreement.
        passed: whether ρ is at least 0.95, or not more than 0.02 below `seed_to_seed`;
            for `flops`, at least 0.999; for `params`, whether all are equal.
    """

    scorer: str
    n: int
    failed: int
    again: int
    batch_size: int
    spearman: float | None
    seed_to_seed: float | None
    passed: bool


def fidelity(
    root: Path,
    folder: Path,
    *,
    scorers: Sequence[str] = SCORED,
    sample: int | None = None,
    again: int = AGAIN,
    batch_size: int = BATCH_SIZE,
    workers: int = 1,
    progress: Progress = silent,
) -> list[Fidelity]:
    """Score architectures of NAS-Bench-201 on CIFAR-10 and compare with the published scores.

    The whole network is scored, edges without effect included, as it was for the table:
    by NASLib, default initialization.

    Args:
        root: the data root.
        folder: where measurements are kept, to be resumed.
        scorers: what to measure; those of the table are compared.
        sample: how many of the 1,000 published architectures; all by default.
        again: how many of them, the first ones, are scored with a second seed.
        batch_size: images in a batch.
        workers: processes.
        progress: called with every architecture.

    Raises:
        OptionError: fewer than three to score again, or a sample larger than the table.
        DataError: the table or CIFAR-10 is missing or damaged.
    """
    if again < MINIMUM:
        raise OptionError(f"Expected at least {MINIMUM} to score again, but got {again}")
    rows = published_cells(root, sample)
    cells = [row["arch"] for row in rows]
    settings = settings_for(root, scorers, batch_size)
    first = measure(settings, cells, folder / "first", workers=workers, progress=progress)
    second = measure(
        replace(settings, seed=1, scorers=SCORED),
        cells[:again],
        folder / "again",
        workers=workers,
        progress=progress,
    )
    names = [*COUNTED, FLOPS_AS_PUBLISHED, *SCORED]
    return [_compared(name, first, second, rows, batch_size) for name in names]


def published_correlations(
    root: Path, folder: Path, scorers: Sequence[str], progress: Progress
) -> list[CorrelationRecord]:
    """Correlate the scores that `fidelity` measured with the cells' accuracies."""
    cells = [row["arch"] for row in published_cells(root)]
    settings = settings_for(root, scorers, BATCH_SIZE)
    measured = measure(settings, cells, folder / "first", progress=progress)
    truth = find_truth("nas-bench-201", root)
    index = {truth.space.to_string(arch): i for i, arch in enumerate(truth.architectures)}
    accuracies = truth.accuracies("cifar10")[[index[cell] for cell in cells]]
    rows = [
        correlate(measured, accuracies, scorer, truth=truth.name, target="cifar10")
        for scorer in dict.fromkeys((*scorers, *BASELINES))
    ]
    return CorrelationTable(rows, timed(settings, cells, folder / "first", progress)).records


def settings_for(root: Path, scorers: Sequence[str], batch_size: int) -> MeasurementSettings:
    """Return the settings of the measurements."""
    return MeasurementSettings(
        space="benchmarks.fidelity:WholeCells",
        data="cifar10",
        teacher="resnet110",
        scorers=tuple(dict.fromkeys((*scorers, *SCORED))),
        repeats=1,
        batch_size=batch_size,
        data_root=str(root),
    )


def published_cells(root: Path, sample: int | None = None) -> list[Mapping[str, str]]:
    """Return the published table, or some rows of it."""
    return _sampled(read_table(root / "nas-bench-201" / "reference_proxies.csv"), sample)


def _sampled(rows: list[Mapping[str, str]], sample: int | None) -> list[Mapping[str, str]]:
    if sample is None:
        return rows
    if not MINIMUM <= sample <= len(rows):
        raise OptionError(
            f"Expected a sample of {MINIMUM} to {len(rows):,} architectures, all of the table, "
            f"but got {sample:,}"
        )
    chosen = generator_for("fidelity", "sample").choice(len(rows), sample, replace=False)
    return [rows[i] for i in sorted(chosen)]


def _other_operations(build: Callable[[], nn.Module]) -> int:
    """Count the operations of published FLOPs beyond multiply-adds, up to a constant."""
    counts: list[int] = []
    network = build_on_meta(build)
    for module in network.modules():
        module.register_forward_hook(lambda m, _inputs, y: counts.append(_operations(m, y)))
    with torch.no_grad(), ShapeArithmetic():
        network(torch.empty(1, *SHAPE, device="meta"))
    return sum(counts)


def _operations(module: nn.Module, output: Tensor) -> int:
    match module:
        case nn.BatchNorm2d():
            return 2 * output.numel()
        case nn.ReLU():
            return output.numel()
        case nn.AvgPool2d(kernel_size=int(size)):
            return output.numel() * size**2
    return 0


def _compared(
    name: str,
    first: Sequence[Measured],
    second: Sequence[Measured],
    rows: Sequence[Mapping[str, str]],
    batch_size: int,
) -> Fidelity:
    column = "flops" if name == FLOPS_AS_PUBLISHED else name
    theirs = np.array([float(row[column]) for row in rows])
    ours, other = (_values(name, rows, found) for found in (first, second))
    sound = np.isfinite(ours)
    twice = np.isfinite(other) & sound[: len(other)]
    agreement = noise = None
    if min(sound.sum(), twice.sum()) >= MINIMUM:
        agreement = spearman(ours[sound], theirs[sound])
        noise = spearman(ours[: len(other)][twice], other[twice])
    return Fidelity(
        scorer=name,
        n=int(sound.sum()),
        failed=int((~sound).sum()),
        again=int(twice.sum()),
        batch_size=batch_size,
        spearman=agreement,
        seed_to_seed=noise,
        passed=np.array_equal(ours, np.rint(theirs * 1e6))
        if name == "params"
        else _reached(column, agreement, noise),
    )


def _values(name: str, rows: Sequence[Mapping[str, str]], found: Sequence[Measured]) -> Vector:
    """Return the scores of all architectures, shape (n,), NaN where failed."""
    if name == "params":
        return np.array([float(item.params) for item in found])
    if name in ("flops", FLOPS_AS_PUBLISHED):
        macs = np.array([float(item.macs) for item in found])
        return macs if name == "flops" else macs + _others(rows[: len(found)])
    return np.array([item.terms.get(name, (np.nan,))[0] for item in found])


def _others(rows: Sequence[Mapping[str, str]]) -> Vector:
    space = NASBench201Space()
    archs = [space.from_string(row["arch"]) for row in rows]
    return np.array([_other_operations(partial(space.build, arch, CLASSES)) for arch in archs])


def _reached(column: str, agreement: float | None, noise: float | None) -> bool:
    if agreement is None or noise is None:
        return False
    if column == "flops":
        return agreement >= ENOUGH_OF_FLOPS
    return agreement >= min(ENOUGH, noise - TOLERANCE)


@click.command()
@options.DATA_ROOT
@click.option("--sample", type=int, help="Architectures to score; all 1,000 by default.")
@click.option("--again", type=int, default=AGAIN, show_default=True, help="Scored twice.")
@click.option("--batch-size", type=click.IntRange(min=2), default=BATCH_SIZE, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A folder.")
def main(data_root: str | None, out: Path, **chosen: Any) -> None:
    """Compare our 13 scores of NAS-Bench-Suite-Zero with the published ones."""
    with displayed_progress() as progress:
        records = fidelity(find_root(data_root), out, progress=progress, **chosen)
    write_csv(out / "fidelity.csv", records)
    click.echo((out / "fidelity.csv").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
