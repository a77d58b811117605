"""Federations for the studies of federated distillation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

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
from search_spaces import Architecture, Choice, ChoiceSpace, SearchSpace, Signature

_OWN = ("clients", "rounds", "local_epochs", "tuning_epochs")
"""Settings that are options of the method."""


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
    settings: FederatedSettings, folder: Path, *, seed: int, space: SearchSpace, **own: Any
) -> Federation:
    """Return the federation of a run.

    Args:
        settings: what is compared.
        folder: the run folder.
        seed: seed of the division and of all trainings.
        space: the search space of the clients.
        **own: further options of the method.
    """
    shared = {name: getattr(settings, name) for name in _OWN}
    options = {
        "seed": seed,
        "train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "optimizer": "sgd",
        "schedule": "cosine",
        "augment": "none",
        "device": "cpu",
    }
    data, chosen = data_of(settings, seed), filled(FederatedOptions, {**shared, **own})
    return federation_of(Assignment(folder, data, None, space, Budget(), options, chosen))


def run_rounds(federation: Federation, clients: Sequence[Client]) -> list[Round]:
    """Run all rounds in this process."""
    named, folder = {client.name: client for client in clients}, federation.assignment.folder
    with local_engine(named, folder / "clients") as engine:
        return Server(federation.plan(clients), engine, folder).run()


def mean_accuracies(federation: Federation) -> dict[str, float]:
    """Return test accuracies after the last round, with own label mixes and of all examples."""
    stores = [ClientStore(federation.folder(owner.name)) for owner in federation.owners]
    measures = [store.measures()[federation.assignment.own["rounds"]] for store in stores]
    return {
        name: float(np.mean([found[key] for found in measures]))
        for name, key in (("own", "own"), ("all", "global"))
    }
