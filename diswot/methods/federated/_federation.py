"""The clients of a run: their data, budgets and students."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from diswot.devices import find_device
from diswot.errors import DataError, OptionError
from diswot.methods._whole_run import Assignment
from diswot.methods.federated._client import Client
from diswot.methods.federated._limits import limits_of
from diswot.methods.federated._partition import Mix, Share, dirichlet_shares, read_shares
from diswot.methods.federated._server import Plan
from diswot.methods.federated._sharing import Sharing
from diswot.search import Budget, find_space
from diswot.seeding import seed_for
from diswot.tasks import Dataset, SplitName, class_labels
from diswot.tasks.images import example_digests, part_of
from diswot.training import recipe_of
from search_spaces import SearchSpace

CLIENTS = "clients"
"""Folder of the clients in a run folder."""


@dataclass(frozen=True)
class Owner:
    """A client before its student is known.

    Attributes:
        name: name of the client.
        data: its private examples, the public set and the common test examples.
        budget: limits on what its student may cost.
        mix: its label mix.
    """

    name: str
    data: Dataset
    budget: Budget
    mix: Mix


@dataclass(frozen=True)
class Federation:
    """The clients of a run.

    Attributes:
        assignment: data, space, options and folder of the run.
        owners: the clients in order.
    """

    assignment: Assignment
    owners: tuple[Owner, ...]
    seed: int = field(default=0)

    def folder(self, owner: str) -> Path:
        """Return the folder of a client."""
        return self.assignment.folder / CLIENTS / owner

    @cached_property
    def sharing(self) -> Sharing:
        """How clients send their knowledge."""
        return sharing_of(self.assignment.own)

    @property
    def shares_weights(self) -> bool:
        """Whether clients send weights (`fedavg`)."""
        return bool(self.assignment.own["fusion"] == "fedavg")

    @property
    def shape(self) -> tuple[int, int]:
        """Number of public examples and of classes."""
        data = self.owners[0].data
        return data.size("val"), data.signature.outputs

    def space_of(self, owner: Owner) -> SearchSpace:
        """Return the search space of a client."""
        return find_space(self.assignment.space, owner.data.signature)

    def client(self, owner: Owner, architecture: str) -> Client:
        """Return a client whose student has an architecture.

        Args:
            owner: the client.
            architecture: name of the architecture in the run's space.
        """
        options, own = self.assignment.options, self.assignment.own
        epochs = own["rounds"] * own["local_epochs"]
        seed = seed_for(self.seed, "client", owner.name)
        recipe = recipe_of(owner.data, {**options, "epochs": epochs, "seed": seed})
        kind = "shared" if self.shares_weights else owner.name
        return Client(
            owner.name,
            owner.data,
            self.space_of(owner),
            architecture,
            recipe,
            seed_for(self.seed, "student", kind),
            own["local_epochs"],
            own["tuning_epochs"],
            self.sharing,
            self.shares_weights,
            find_device(options.get("device")),
        )

    def plan(self, clients: Sequence[Client]) -> Plan:
        """Return what the server does.

        Args:
            clients: all clients.
        """
        own = self.assignment.own
        weights: Mapping[str, tuple[int, ...]] = {}
        if self.shares_weights:
            state = clients[0].build().state_dict()
            weights = {name: tuple(tensor.shape) for name, tensor in state.items()}
        return Plan(
            tuple(client.name for client in clients),
            own["rounds"],
            own["fusion"],
            self.shape,
            own["beta"],
            own["neighbors"],
            own["round_timeout"],
            self.sharing,
            weights,
        )


def sharing_of(own: Mapping[str, Any]) -> Sharing:
    """Return how knowledge is sent, by the options of the method."""
    return Sharing(own["share_top"], own["share_bits"], own["share_noise"])


def federation_of(assignment: Assignment) -> Federation:
    """Divide the data of a run among clients, and check them.

    Args:
        assignment: data and options of the run.

    Raises:
        DiswotError: a client has no examples or only one class, the public set contains private
            examples, or clients, classes and options do not fit together.
    """
    own, data = assignment.own, assignment.data
    seed = assignment.options.get("seed") or 0
    shares = _shares(assignment, seed)
    if own["neighbors"] is not None and own["neighbors"] > len(shares):
        raise OptionError(
            f"Expected neighbors to be at most the {len(shares)} clients, but got "
            f"{own['neighbors']}"
        )
    sharing_of(own).check(data.signature.outputs)
    public, split = _public(assignment)
    limits = limits_of(own["client_params"], len(shares))
    owners = []
    for share, limit in zip(shares, limits, strict=True):
        whole = data if share.data is None else _data_of(share, assignment)
        count = whole.size("train")
        indices = torch.arange(count) if share.indices is None else torch.tensor(share.indices)
        name = f"{data.name}, {share.name}"
        part = part_of(whole, indices, name=name, public=public, split=split)
        mix = Mix.of(class_labels(part, "train"))
        mix.check(share.name)
        params = share.max_params or limit or assignment.budget.params
        owners.append(Owner(share.name, part, replace(assignment.budget, params=params), mix))
    _check_public(owners)
    return Federation(assignment, tuple(owners), seed)


def _shares(assignment: Assignment, seed: int) -> list[Share]:
    own, data = assignment.own, assignment.data
    if own["partition"] is not None:
        return read_shares(own["partition"], examples=data.size("train"))
    return dirichlet_shares(
        class_labels(data, "train"),
        clients=own["clients"],
        alpha=own["alpha"],
        samples=own["local_samples"],
        seed=seed,
    )


def _public(assignment: Assignment) -> tuple[Dataset, SplitName]:
    """Return the dataset and the split that hold the public set.

    Raises:
        DataError: its examples have another form than the private ones.
    """
    given, data = assignment.own["public"], assignment.data
    if given is None:
        return data, "val"
    public = data.task.load(given, root=assignment.options.get("data_root"))
    if public.signature.inputs != data.signature.inputs:
        raise DataError(
            f"Expected public examples of {data.signature.describe()}, but {public.name} has "
            f"{public.signature.describe()}: give others, or convert them (--image-size)"
        )
    return public, "train"


def _data_of(share: Share, assignment: Assignment) -> Dataset:
    data = assignment.data
    own = data.task.load(share.data, root=assignment.options.get("data_root"))
    if own.signature.outputs != data.signature.outputs:
        raise DataError(
            f"Expected {data.signature.outputs} classes of every client, but {share.name} has "
            f"{own.signature.outputs} ({share.data}): give all clients the same classes"
        )
    if own.signature.inputs != data.signature.inputs:
        raise DataError(
            f"Expected examples of {data.signature.describe()}, but {share.name} has "
            f"{own.signature.describe()}"
        )
    return own


def _check_public(owners: Sequence[Owner]) -> None:
    """Make sure that no private example is in the public set.

    Raises:
        DataError: one is; the message names its client.
    """
    public = set(example_digests(owners[0].data, "val"))
    if not public:
        raise DataError("Expected public examples, but got none: name a dataset with --public")
    for owner in owners:
        shared = sum(digest in public for digest in example_digests(owner.data, "train"))
        if shared:
            raise DataError(
                f"the public set holds {shared:,} private examples of {owner.name} (equal "
                "SHA-256): remove them from one of the two"
            )
