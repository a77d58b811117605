"""The default score next to counts and `nwot`: `python -m benchmarks.lab.rivals WORK`.

All of them are measured in one pass, in the same random initializations of the same networks that
`benchmarks.lab.filled` measures. WORK has the measurements so far; run again, it resumes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.lab.layers import SUBJECTS
from benchmarks.results_folder import RESULTS, keep
from diswot.bench.ground_truths import find_truth
from diswot.bench.measurement import Measured, MeasurementSettings, measure
from diswot.bench.rank_statistics import Vector, kendall
from diswot.bench.resampling import resampled
from diswot.cli import displayed_progress, options
from diswot.csv_table import read_table
from diswot.options import DEFAULT_SCORER
from diswot.tasks.images import data_root as find_root

RIVALS = ("params", "flops", "trainable_layers", "nwot")
SEEDS = 5

BATCHES = {
    "nas-bench-macro": 32,
    "digits-thin": 64,
    "digits-s0": 64,
    "resnet-s0": 64,
    "nas-bench-201": 32,
    "nats-sss": 32,
    "autoformer": 16,
}
"""Ground truths, and images in a batch of `nwot`; `student_fit` reads four images of noise."""


@dataclass(frozen=True)
class RivalRow:
    """One score on one ground truth.

    Attributes:
        truth: name of the ground truth.
        scorer: name of the scorer.
        networks: number of networks for which all scores are finite.
        failed: number of the others, which are left out.
        seeds: number of initializations.
        batch_size: images in a batch.
        kendall: mean of Kendall's τ over initializations.
        seed_sd: standard deviation of the same.
        low: end of the 95 % bootstrap interval over networks of the τ of the mean score.
        high: the other end.
        ahead: how much higher τ of `student_fit` is, in the mean over initializations.
        ahead_low: end of the paired 95 % interval of this difference over networks.
        ahead_high: the other end.
    """

    truth: str
    scorer: str
    networks: int
    failed: int
    seeds: int
    batch_size: int
    kendall: float
    seed_sd: float
    low: float
    high: float
    ahead: float
    ahead_low: float
    ahead_high: float


def measured(name: str, root: Path, work: Path, *, seeds: int) -> tuple[list[Measured], Vector]:
    """Return the measurements of a truth's networks, and their accuracies."""
    subject = SUBJECTS[name]
    truth = find_truth(name, root)
    if subject.sample:
        truth = truth.sampled(subject.sample, seed=0)
    settings = MeasurementSettings(
        truth.space_name,
        truth.dataset(subject.target),
        "resnet20",
        (DEFAULT_SCORER, *RIVALS),
        repeats=seeds,
        batch_size=BATCHES[name],
        data_root=str(root),
        image_size=truth.image_size,
    )
    names = [truth.space.to_string(arch) for arch in truth.architectures]
    with displayed_progress() as progress:
        results = measure(settings, names, work / name, progress=progress)
    return results, truth.accuracies(subject.target)


def rows_of(
    name: str,
    results: Sequence[Measured],
    accuracies: Vector,
    rivals: Sequence[str] = RIVALS,
    *,
    images: int,
) -> list[RivalRow]:
    """Return the rows of a truth, from the networks for which all scores were measured.

    Args:
        name: name of the truth, copied to the rows.
        results: measurements of N networks.
        accuracies: their accuracies (N,).
        rivals: scores that are compared with the default score.
        images: images in a batch, copied to the rows.
    """
    scorers = (DEFAULT_SCORER, *rivals)
    known = [n for n, item in enumerate(results) if {*scorers} <= item.terms.keys()]
    accuracies = accuracies[known]
    seeds = max(len(results[known[0]].terms[scorer]) for scorer in scorers)
    scores = {scorer: _scores(results, known, scorer, seeds) for scorer in scorers}
    taus = {
        scorer: np.array([kendall(column, accuracies) for column in of.T])
        for scorer, of in scores.items()
    }
    drawn = {
        scorer: resampled(of.mean(axis=1), accuracies, seed=0).kendall
        for scorer, of in scores.items()
    }
    rows = []
    for scorer in scorers:
        ahead = drawn[DEFAULT_SCORER] - drawn[scorer]  # both of the same resamples
        ends = np.percentile([drawn[scorer], ahead], [2.5, 97.5], axis=1).round(4).T
        rows.append(
            RivalRow(
                *(name, scorer, len(known), len(results) - len(known), seeds, images),
                kendall=round(float(taus[scorer].mean()), 4),
                seed_sd=round(float(taus[scorer].std(ddof=1)), 4) if seeds > 1 else 0.0,
                low=float(ends[0, 0]),
                high=float(ends[0, 1]),
                ahead=round(float((taus[DEFAULT_SCORER] - taus[scorer]).mean()), 4),
                ahead_low=float(ends[1, 0]),
                ahead_high=float(ends[1, 1]),
            )
        )
    return rows


def _scores(results: Sequence[Measured], known: Sequence[int], scorer: str, seeds: int) -> Vector:
    """Return scores (networks, seeds); counts are the same in all initializations."""
    values = np.array([results[n].terms[scorer] for n in known], float)
    return np.broadcast_to(values, (len(known), seeds))


def earlier() -> dict[str, list[RivalRow]]:
    """Return the rows that have been written, by truth."""
    path = RESULTS / "rivals.csv"
    found: dict[str, list[RivalRow]] = {}
    for row in read_table(path) if path.exists() else []:
        texts = (row["truth"], row["scorer"])
        counts = (int(row[key]) for key in ("networks", "failed", "seeds", "batch_size"))
        numbers = [float(value) for value in list(row.values())[6:]]
        found.setdefault(row["truth"], []).append(RivalRow(*texts, *counts, *numbers))
    return found


@click.command()
@options.DATA_ROOT
@click.argument("work", type=click.Path(path_type=Path))
@click.argument("names", nargs=-1, type=click.Choice(list(BATCHES)))
def main(data_root: str | None, work: Path, names: tuple[str, ...]) -> None:
    """Write benchmarks/results/rivals.csv; rows of truths that are not named are kept."""
    torch.set_num_threads(1)
    work.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC)
    for name in names or BATCHES:
        results, accuracies = measured(name, find_root(data_root), work, seeds=SEEDS)
        found = rows_of(name, results, accuracies, images=BATCHES[name])
        rows = earlier() | {name: found}
        flat = [row for truth in BATCHES for row in rows.get(truth, [])]
        keep("rivals", flat, {"seeds": SEEDS, "batches": BATCHES}, started, work=work)


if __name__ == "__main__":
    main()
