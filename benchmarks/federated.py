"""Fusion rules of federated distillation, by label mixes and sizes of clients.

`python -m benchmarks.federated --work runs/federated` writes `results/federated.csv` and
`federated-claims.csv`. If it is interrupted, the same command resumes with the runs that are
left; `--first N` runs only the first N, and writes no table unless all are done.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.federated_rows import claims, rows_of
from benchmarks.federations import (
    CIFAR,
    FederatedSettings,
    SmallNetworks,
    data_of,
    federation_in,
    mean_accuracies,
    run_rounds,
)
from benchmarks.results_folder import keep
from diswot.bench.rank_statistics import spearman
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.methods.federated import Client, Federation, Round

ALPHAS = (0.1, 0.5, 100.0)
ARMS = ("knfu", "mean", "local", "local-long", "knfu-equal", "fedavg")
"""Fusion rules with different networks; `local-long` has as many steps as the others; and knfu
and fedavg with equal networks (`-equal`)."""

EQUAL = ("knfu-equal", "fedavg")


def federation_of_task(
    settings: FederatedSettings, task: tuple[float, int, str, int], folder: Path
) -> Federation:
    """Return the federation of α, examples per client, arm and seed."""
    alpha, size, arm, seed = task
    steps = settings.rounds * (settings.public // settings.batch) * settings.tuning_epochs
    per_epoch = max(1, size // settings.batch)
    extra = -(-steps // (settings.rounds * per_epoch)) if arm == "local-long" else 0
    return federation_in(
        settings,
        folder,
        seed=seed,
        space=SmallNetworks(),
        alpha=alpha,
        local_samples=size,
        fusion=arm.partition("-")[0],
        local_epochs=settings.local_epochs + extra,
    )


def clients_in(federation: Federation, arm: str) -> list[Client]:
    """Return the clients of an arm, with different or equal networks."""
    nets = ("mlp-64",) if arm in EQUAL else ("mlp-32", "mlp-64", "cnn-8")
    return [
        federation.client(owner, f"net={nets[index % len(nets)]}")
        for index, owner in enumerate(federation.owners)
    ]


def _one(settings: FederatedSettings, task: tuple[float, int, str, int]) -> dict[str, Any]:
    """Run one federation and return its record."""
    alpha, size, arm, seed = task
    with tempfile.TemporaryDirectory() as folder:
        federation = federation_of_task(settings, task, Path(folder))
        rounds = run_rounds(federation, clients_in(federation, arm))
        accuracies = mean_accuracies(federation)
    mixes = np.stack([owner.mix.shares(federation.shape[1]) for owner in federation.owners])
    return {
        "alpha": alpha,
        "size": size,
        "arm": arm,
        "seed": seed,
        **accuracies,
        "rho": [_similarity(rounds[index], mixes) for index in (0, -1)],
        "own_weight": float(np.mean(np.diag(np.array(rounds[-1].weights)))),
        "suspects": sum(len(item.suspects) for item in rounds),
        "bytes": sum(sum(item.sent.values()) for item in rounds),
    }


def _similarity(found: Round, mixes: NDArray[np.float64]) -> float | None:
    """Return Spearman's ρ of fusion weights and similarities of label mixes between clients.

    The similarity of two mixes is 1 minus their total variation distance.
    """
    weights = np.array(found.weights)
    similar = 1 - np.abs(mixes[:, None] - mixes[None]).sum(2) / 2
    other = ~np.eye(len(weights), dtype=bool)
    if np.ptp(weights[other]) == 0:
        return None
    return float(spearman(weights[other], similar[other]))


def _tasks(settings: FederatedSettings) -> list[tuple[float, int, str, int]]:
    return [
        (alpha, size, arm, seed)
        for seed in range(settings.seeds)
        for alpha in ALPHAS
        for size in settings.sizes
        for arm in ARMS
    ]


def _write(
    settings: FederatedSettings,
    records: Mapping[Any, Mapping[str, Any]],
    started: datetime,
    work: Path,
) -> None:
    suffix = "" if settings.data == "digits" else f"-{settings.data}"
    rows = rows_of(records, settings.sizes, settings.seeds, rounds=settings.rounds)
    keep(f"federated{suffix}", rows, asdict(settings), started, work=work)
    found = claims(records, settings.sizes, settings.seeds)
    keep(f"federated{suffix}-claims", found, asdict(settings), started, work=work)


@click.command()
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Runs so far.")
@click.option("--data-root", default="", help="Data root of CIFAR-10.")
@click.option("--cifar10", is_flag=True, help="Use the sample of CIFAR-10 in place of digits.")
@click.option("--first", type=click.IntRange(min=1), help="Only the first so many runs.")
def main(work: Path, data_root: str, first: int | None, *, cifar10: bool) -> None:
    """Run what is missing, and write the tables when all runs are done."""
    settings = replace(CIFAR, root=data_root) if cifar10 else FederatedSettings()
    started, tasks = datetime.now(UTC), _tasks(settings)
    recorded = asdict(settings) | {"root": ""}
    with displayed_progress() as progress:
        records = Trainings(recorded, work, key=["alpha", "size", "arm", "seed"]).run(
            tasks[:first],
            partial(_one, settings),
            before=partial(data_of, settings, 0),
            workers=1,
            progress=progress,
        )
    if first is None or first >= len(tasks):
        _write(settings, records, started, work)


if __name__ == "__main__":
    main()
