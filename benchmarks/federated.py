"""Fusion rules of federated distillation, by label mixes and sizes of clients.

`python -m benchmarks.federated --work runs/federated` writes `results/federated.csv` and
`federated-claims.csv`. If it is interrupted, the same command resumes with the runs that are
left; `--first N` runs only the first N, and writes no table unless all are done.
"""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.federated_rows import claims, rows_of
from benchmarks.results_folder import keep
from diswot.bench.rank_statistics import spearman
from diswot.bench.trainings import Trainings
from diswot.cli import displayed_progress
from diswot.methods import Assignment
from diswot.methods.federated import (
    Client,
    ClientStore,
    FederatedOptions,
    Federation,
    Round,
    Server,
    federation_of,
    local_engine,
)
from diswot.options import filled
from diswot.search import Budget
from diswot.seeding import generator_for
from diswot.tasks.images import ImageData, Split, load_data
from search_spaces import Architecture, Choice, ChoiceSpace, Signature

ALPHAS = (0.1, 0.5, 100.0)
ARMS = ("knfu", "mean", "local", "local-long", "knfu-equal", "fedavg")
"""Fusion rules with different networks; `local-long` has as many steps as the others; and knfu
and fedavg with equal networks (`-equal`)."""

EQUAL = ("knfu-equal", "fedavg")


class SmallNetworks(ChoiceSpace):
    """Perceptrons with one hidden layer, and a small convolutional network."""

    net = Choice("mlp-32", "mlp-64", "cnn-8")

    def network(self, arch: Architecture, signature: Signature) -> nn.Module:
        """Build the network of an architecture."""
        channels, height, width = (size or 1 for size in signature.inputs[0].shape)
        if arch.net == "cnn-8":
            return nn.Sequential(
                nn.Conv2d(channels, 8, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Conv2d(8, 16, 3, stride=2, padding=1),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(16 * -(-height // 4) * -(-width // 4), signature.outputs),
            )
        hidden = int(arch.net.removeprefix("mlp-"))
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * height * width, hidden),
            nn.ReLU(),
            nn.Linear(hidden, signature.outputs),
        )


@dataclass(frozen=True)
class FederatedSettings:
    """What is compared.

    Attributes:
        data: the dataset.
        root: data root; empty for the default.
        clients: number of clients.
        sizes: private examples per client.
        public: public examples.
        test: test examples.
        rounds: rounds of a run.
        local_epochs: epochs on private examples per round.
        tuning_epochs: epochs on the public set per round.
        batch: batch size.
        learning_rate: constant learning rate of SGD.
        seeds: seeds, each with its own division, networks and order.
    """

    data: str = "digits"
    root: str = ""
    clients: int = 8
    sizes: tuple[int, ...] = (20, 110)
    public: int = 400
    test: int = 400
    rounds: int = 10
    local_epochs: int = 4
    tuning_epochs: int = 1
    batch: int = 32
    learning_rate: float = 0.05
    seeds: int = 5


CIFAR = FederatedSettings(
    "cifar10", sizes=(50, 180), public=500, test=1000, rounds=6, seeds=3, batch=32
)
"""Settings of the sample of CIFAR-10."""


@cache
def data_of(settings: FederatedSettings, seed: int) -> ImageData:
    """Return all examples, divided by the seed: training, public (val) and test."""
    data = load_data(settings.data, root=settings.root or None)
    splits = [data.train, data.val, data.test]
    parts = [split.take(torch.arange(len(split))) for split in splits]
    images = torch.cat([part.images for part in parts])
    labels = torch.cat([part.labels for part in parts])
    order = torch.from_numpy(generator_for(seed, "examples").permutation(len(labels)))
    test, public = settings.test, settings.test + settings.public
    last = public + settings.clients * max(settings.sizes)
    pieces = [order[public : min(last, len(order))], order[test:public], order[:test]]
    train, val, held = (Split(images[piece], labels[piece]) for piece in pieces)
    return replace(data, train=train, val=val, test=held, source=None, originals={})


def federation_in(
    settings: FederatedSettings, task: tuple[float, int, str, int], folder: Path
) -> Federation:
    """Return the federation of a run.

    Args:
        settings: what is compared.
        task: α, examples per client, arm and seed.
        folder: the run folder.
    """
    alpha, size, arm, seed = task
    steps = settings.rounds * (settings.public // settings.batch) * settings.tuning_epochs
    per_epoch = max(1, size // settings.batch)
    extra = -(-steps // (settings.rounds * per_epoch)) if arm == "local-long" else 0
    own = filled(
        FederatedOptions,
        {
            "clients": settings.clients,
            "alpha": alpha,
            "local_samples": size,
            "fusion": arm.partition("-")[0],
            "rounds": settings.rounds,
            "local_epochs": settings.local_epochs + extra,
            "tuning_epochs": settings.tuning_epochs,
        },
    )
    options = {
        "seed": seed,
        "train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "optimizer": "sgd",
        "schedule": "cosine",
        "augment": "none",
        "device": "cpu",
    }
    data = data_of(settings, seed)
    return federation_of(Assignment(folder, data, None, SmallNetworks(), Budget(), options, own))


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
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        federation = federation_in(settings, task, folder)
        clients = clients_in(federation, arm)
        named = {client.name: client for client in clients}
        with local_engine(named, folder / "clients") as engine:
            rounds = Server(federation.plan(clients), engine, folder).run()
        stores = [ClientStore(federation.folder(owner.name)) for owner in federation.owners]
        measures = [store.measures()[settings.rounds] for store in stores]
    mixes = np.stack([owner.mix.shares(federation.shape[1]) for owner in federation.owners])
    return {
        "alpha": alpha,
        "size": size,
        "arm": arm,
        "seed": seed,
        "own": float(np.mean([found["own"] for found in measures])),
        "all": float(np.mean([found["global"] for found in measures])),
        "rho": [_similarity(rounds[index], mixes) for index in (0, -1)],
        "own_weight": float(np.mean(np.diag(np.array(rounds[-1].weights)))),
        "suspects": sum(len(item.suspects) for item in rounds),
        "bytes": sum(sum(item.sent.values()) for item in rounds),
        "seconds": time.process_time() - began,
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
    settings: FederatedSettings, records: Mapping[Any, Mapping[str, Any]], started: datetime
) -> None:
    suffix = "" if settings.data == "digits" else f"-{settings.data}"
    rows = rows_of(records, settings.sizes, settings.seeds, rounds=settings.rounds)
    keep(f"federated{suffix}", rows, asdict(settings), started)
    found = claims(records, settings.sizes, settings.seeds)
    keep(f"federated{suffix}-claims", found, asdict(settings), started)


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
        _write(settings, records, started)


if __name__ == "__main__":
    main()
