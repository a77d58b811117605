"""Student networks, which carry their origin: space, architecture, seed and measures."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import torch
from torch import nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, unwrapped
from diswot.networks.copies import copied
from diswot.networks.shared_classifier import SharedClassifier
from diswot.seeding import torch_seed
from diswot.tasks import SplitName
from search_spaces import Architecture, SearchSpace, Signature

_ATTRIBUTE = "_diswot_origin"


@dataclass(frozen=True)
class Origin:
    """Where a network came from; it is copied and pickled together with the network.

    Attributes:
        signature: shapes of inputs and outputs.
        architecture: its name in its search space.
        space: the search space, as `package.module:Class`.
        seed: seed of the initial weights; `None` if they were not drawn from a seed.
        metrics: measured values by name, such as the accuracy.
        classifier: shape of the teacher's classifier, if the network ends with it instead of its
            own; see [`share_classifier`][diswot.networks.shared_classifier.share_classifier].
    """

    signature: Signature
    architecture: str | None = None
    space: str | None = None
    seed: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    classifier: SharedClassifier | None = None


class StudentSource(Protocol):
    """Makes the networks of candidates: randomly initialized, or cut out of a supernet."""

    @property
    def digest(self) -> str:
        """SHA-256 of the weights that students inherit; empty for random initialization."""

    @property
    def scored_on(self) -> SplitName:
        """The split whose batches candidates are scored on."""

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture without the weights that it inherits.

        It is built to measure its costs, on the meta device.

        Args:
            arch: a point of the search space.
        """

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return the network of an architecture, which carries its origin.

        Args:
            arch: a point of the search space.
            seed: seed of random weights; by default torch's global generators are used.
        """


@dataclass(frozen=True)
class Fresh:
    """Students at random initialization.

    Attributes:
        space: the search space.
        signature: shapes of the networks' inputs and outputs.
        scored_on: split whose batches candidates are scored on.
    """

    space: SearchSpace
    signature: Signature
    digest = ""
    scored_on: SplitName = "train"

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture, to measure its costs."""
        return self.space.network(arch, self.signature)

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return the network of an architecture, which carries its origin.

        Args:
            arch: a point of the search space.
            seed: seed of the weights; by default torch's global generators are used.
        """
        return build_student(self.space, arch, self.signature, seed=seed)


def build_student(
    space: SearchSpace, arch: Architecture, signature: Signature, *, seed: int | None = None
) -> nn.Module:
    """Build the network of `arch`, which carries its origin.

    Args:
        space: the search space.
        arch: an architecture of the space.
        signature: shapes of the network's inputs and outputs.
        seed: seed of the initial weights; by default torch's global generators are used.
    """
    with nullcontext() if seed is None else torch_seed(seed):
        network = space.network(arch, signature)
    kind = type(space)
    named = f"{kind.__module__}:{kind.__qualname__}"
    set_origin(network, Origin(signature, space.to_string(arch), named, seed))
    return network


def with_new_classifier(
    network: nn.Module, signature: Signature, *, seed: int | None = None
) -> nn.Module:
    """Return a copy of a network whose last linear layer has new random weights.

    It is the start of a transfer to other classes: everything else has the network's weights.

    Args:
        network: a network that returns the output of a linear layer; it is not changed.
        signature: shapes of the inputs, and the number of new outputs.
        seed: seed of the new weights; by default torch's global generators are used.

    Raises:
        NetworkError: the network does not return the output of one linear layer.

    Examples:
        >>> from search_spaces import TensorSpec
        >>> network = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 5))
        >>> tuned = with_new_classifier(network, Signature((TensorSpec("x", (4,)),), 2))
        >>> tuned[1], torch.equal(tuned[0].weight, network[0].weight)
        (Linear(in_features=8, out_features=2, bias=True), True)
    """
    result = copied(network).eval()
    inputs = signature.example(2, generator=torch.Generator().manual_seed(0))
    with ActivationReader(result) as read, torch.no_grad():
        weight = read(*inputs).classifier_weight
    for name, layer in result.named_modules():
        if isinstance(layer, nn.Linear) and layer.weight.data_ptr() == weight.data_ptr():
            with nullcontext() if seed is None else torch_seed(seed):
                new = nn.Linear(layer.in_features, signature.outputs, layer.bias is not None)
            result.set_submodule(name, new.to(layer.weight))
            if (origin := origin_of(network)) is not None:
                set_origin(result, replace(origin, signature=signature, metrics={}))
            return result
    raise NetworkError(
        f"Expected {type(network).__name__} to return the output of one nn.Linear, but got another "
        "layer: replace its classifier in Python"
    )


def set_origin(network: nn.Module, origin: Origin) -> None:
    """Attach `origin` to `network`; parameters, buffers and outputs are unchanged."""
    vars(unwrapped(network))[_ATTRIBUTE] = origin


def origin_of(network: nn.Module) -> Origin | None:
    """Return the origin attached to `network`; `None` if it was not built by DisWOT."""
    result = vars(unwrapped(network)).get(_ATTRIBUTE)
    return result if isinstance(result, Origin) else None
