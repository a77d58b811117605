"""How well the scorers of NAS-Bench-Suite-Zero agree with the values that it published.

`python -m benchmarks.fidelity --data-root FOLDER --sample 100 --out fidelity.csv`
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeAlias

import click
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.association import spearman
from benchmarks.ground_truths import read_table
from benchmarks.ledger import processes
from benchmarks.tables import write_csv
from diswot.activations import scoring_mode
from diswot.cli import options, shown_progress
from diswot.costs import Costs, measure_costs
from diswot.data import data_root as find_root
from diswot.data import load_data
from diswot.errors import OptionError
from diswot.probe import Probe
from diswot.progress import Progress, silent, tracked
from diswot.scorers import Term, all_terms
from diswot.seeding import generator_for, seed_for, torch_seed
from search_spaces import NASBench201Space

SCORED = (
    *("epe_nas", "fisher", "grad_norm", "grasp", "jacov", "l2_norm"),
    *("nwot", "plain", "snip", "synflow", "zen"),
)
FLOPS_AS_PUBLISHED = "flops, pooling counted"
SHAPE, CLASSES = (3, 32, 32), 10
ENOUGH, ENOUGH_OF_FLOPS, TOLERANCE = 0.95, 0.999, 0.02
AGAIN = 150
MINIMUM = 3
"""Architectures below which there is no ranking to speak of."""

Values: TypeAlias = dict[str, list[float]]
"""Scorer → its value with each seed, NaN where it failed."""


@dataclass(frozen=True)
class Fidelity:
    """One scorer on the architectures of the published table.

    The published FLOPs count, beside multiply-adds, two operations for each element that
    is normalised, one for each that is rectified, and k² for each output of a k×k average
    pooling. Only the last changes a rank.

    Attributes:
        scorer: its name; `flops` twice, as we count it and as the table does.
        n: architectures, those that failed left out.
        failed: those left out.
        again: architectures that were scored with a second seed.
        batch_size: images in a batch.
        spearman: ρ of our values with the first seed and theirs.
        seed_to_seed: ρ of our values with two seeds, each with a batch of its own: what
            the noise of the initialisation and the batch leaves of any agreement.
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


@dataclass(frozen=True)
class _Settings:
    root: Path
    batch_size: int


def fidelity(
    root: Path,
    *,
    sample: int | None = None,
    again: int = AGAIN,
    batch_size: int = 64,
    workers: int = 1,
    progress: Progress = silent,
) -> list[Fidelity]:
    """Score architectures of NAS-Bench-201 on CIFAR-10 and compare with the published scores.

    The whole network is scored, edges without effect included, as it was for the table:
    by NASLib, default initialisation, batches of 64.

    Args:
        root: the data root.
        sample: how many of the 1,000 published architectures; all by default.
        again: how many of them, the first ones, are scored with a second seed.
        batch_size: images in a batch.
        workers: processes; with 1, it is done in this one.
        progress: told of every architecture.

    Raises:
        OptionError: fewer than three to score again, or a sample larger than the table.
        DataError: the table or CIFAR-10 is missing or damaged.
    """
    if again < MINIMUM:
        raise OptionError(f"Expected at least {MINIMUM} to score again, but got {again}")
    rows = _sampled(read_table(root / "nas-bench-201" / "reference_proxies.csv"), sample)
    score = partial(_scored, _Settings(root, batch_size))
    cells = [row["arch"] for row in rows]
    seeds = [2 if place < again else 1 for place in range(len(cells))]
    with processes(workers) if workers > 1 else nullcontext() as pool:
        found = pool.map(score, cells, seeds) if pool else map(score, cells, seeds)
        values = list(tracked(found, progress, "scores to compare", len(rows)))
    return [_compared(name, values, rows, batch_size) for name in values[0]]


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


def _scored(settings: _Settings, arch: str, seeds: int) -> Values:
    """Return all scores of one architecture with so many seeds."""
    space = NASBench201Space()
    build = partial(space.build, space.from_string(arch), CLASSES)
    costs = measure_costs(build, SHAPE)
    counts = {
        "params": costs.params,
        "flops": costs.macs,
        FLOPS_AS_PUBLISHED: costs.macs + _other_operations(build),
    }
    values: Values = {name: [float(count)] * seeds for name, count in counts.items()}
    values |= {name: [] for name in SCORED}
    for repeat, (images, labels) in enumerate(_batches(settings)[:seeds]):
        seed = seed_for("fidelity", arch, repeat)
        with torch_seed(seed):
            network = build()
        for name, value in _terms(network, images, labels, costs, seed).items():
            values[name].append(value)
    return values


def _terms(
    network: nn.Module, images: Tensor, labels: Tensor, costs: Costs, seed: int
) -> dict[str, float]:
    """Return all scores of one network, read from the same passes."""
    scorer = all_terms(SCORED)
    with scoring_mode(network), torch.no_grad():
        student = Probe(
            network,
            images,
            labels,
            costs=costs,
            seed=seed,
            watches=scorer.watches,
            differentiable=True,
        )
        return {name: _value(term, student) for name, term in scorer.terms.items()}


def _value(term: Term, student: Probe) -> float:
    try:
        return float(term(student, student))  # none of them reads the teacher
    except Exception:  # noqa: BLE001  (counted as failed; must not end a long run)
        return float("nan")


@cache
def _batches(settings: _Settings) -> list[tuple[Tensor, Tensor]]:
    """Return a batch for each seed; read once in each process."""
    data = load_data("cifar10", root=settings.root)
    batches = []
    for seed in range(2):
        drawn = generator_for("fidelity", "batch", seed).choice(
            len(data.train), settings.batch_size, replace=False
        )
        batch = data.train.take(torch.from_numpy(drawn))
        batches.append((data.normalise(batch.images), batch.labels))
    return batches


def _other_operations(build: Callable[[], nn.Module]) -> int:
    """Count what the published FLOPs have beside multiply-adds, but for a constant."""
    counts: list[int] = []
    with torch.no_grad(), torch.device("meta"):
        network = build().eval()
        for module in network.modules():
            module.register_forward_hook(lambda m, _inputs, y: counts.append(_operations(m, y)))
        network(torch.empty(1, *SHAPE))
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
    name: str, values: Sequence[Values], rows: Sequence[Mapping[str, str]], batch_size: int
) -> Fidelity:
    column = "flops" if name == FLOPS_AS_PUBLISHED else name
    theirs = np.array([float(row[column]) for row in rows])
    ours = np.array([value[name][0] for value in values])
    sound = np.isfinite(ours)
    twice = np.array([value[name] for value in values if len(value[name]) > 1])
    twice = twice[np.isfinite(twice).all(axis=1)]
    agreement = noise = None
    if min(sound.sum(), len(twice)) >= MINIMUM:
        agreement = spearman(ours[sound], theirs[sound])
        noise = spearman(*twice.T)
    return Fidelity(
        scorer=name,
        n=int(sound.sum()),
        failed=int((~sound).sum()),
        again=len(twice),
        batch_size=batch_size,
        spearman=agreement,
        seed_to_seed=noise,
        passed=np.array_equal(ours, np.rint(theirs * 1e6))
        if name == "params"
        else _reached(column, agreement, noise),
    )


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
@click.option("--batch-size", type=click.IntRange(min=2), default=64, show_default=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="CSV file.")
def main(
    data_root: str | None, sample: int | None, again: int, batch_size: int, workers: int, out: Path
) -> None:
    """Compare our 13 scores of NAS-Bench-Suite-Zero with the published ones."""
    with shown_progress() as progress:
        records = fidelity(
            find_root(data_root),
            sample=sample,
            again=again,
            batch_size=batch_size,
            workers=workers,
            progress=progress,
        )
    write_csv(out, records)
    click.echo(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
