"""Networks as students: built from a space, carrying where they came from."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import nn
from torch.optim.swa_utils import AveragedModel

from diswot.seeding import torch_seed
from diswot.tasks import SplitName
from search_spaces import Architecture, SearchSpace, Signature

_ATTRIBUTE = "_diswot_origin"
_AROUND = (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)
"""Modules of torch that hold the network itself as `module`."""


@dataclass(frozen=True)
class Origin:
    """Where a network came from, as a value that is copied and pickled with the network.

    Attributes:
        signature: what it takes and gives.
        architecture: its name in its search space.
        space: the search space, as `package.module:Class`.
        seed: the seed of its initial weights, where they were drawn from one.
        metrics: what was measured on it.
    """

    signature: Signature
    architecture: str | None = None
    space: str | None = None
    seed: int | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)


class StudentSource(Protocol):
    """Where the networks of candidates come from: built new, or cut out of a larger one.

    Its digest is empty where weights are drawn at random.
    """

    @property
    def digest(self) -> str:
        """SHA-256 of the weights that students start with, or empty."""

    @property
    def scored_on(self) -> SplitName:
        """The split whose batches candidates are scored on."""

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return the network of an architecture, which carries its origin.

        Args:
            arch: a point of the search space.
            seed: of what is drawn at random; by default from torch's global generators.
        """


@dataclass(frozen=True)
class Fresh:
    """Students at random initialization.

    Attributes:
        space: the search space.
        signature: what the networks are to take and give.
    """

    space: SearchSpace
    signature: Signature
    digest = ""
    scored_on: SplitName = field(default="train", init=False)

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return the network of an architecture, which carries its origin."""
        return build_student(self.space, arch, self.signature, seed=seed)


def build_student(
    space: SearchSpace, arch: Architecture, signature: Signature, *, seed: int | None = None
) -> nn.Module:
    """Build the network of `arch`, which carries its origin.

    Args:
        space: the search space.
        arch: a point of it.
        signature: what the network is to take and give.
        seed: the seed of its initial weights; by default they are drawn from torch's global
            generators.
    """
    with nullcontext() if seed is None else torch_seed(seed):
        network = space.network(arch, signature)
    kind = type(space)
    named = f"{kind.__module__}:{kind.__qualname__}"
    set_origin(network, Origin(signature, space.to_string(arch), named, seed))
    return network


def set_origin(network: nn.Module, origin: Origin) -> None:
    """Keep `origin` on `network`; parameters, buffers and outputs are unchanged."""
    vars(unwrapped(network))[_ATTRIBUTE] = origin


def origin_of(network: nn.Module) -> Origin | None:
    """Return the origin that `network` carries; `None` of a network made elsewhere."""
    found = vars(unwrapped(network)).get(_ATTRIBUTE)
    return found if isinstance(found, Origin) else None


def unwrapped(network: nn.Module) -> nn.Module:
    """Return the network inside the wrappers of torch: `compile`, data parallel, averaging.

    Examples:
        >>> network = nn.Linear(2, 2)
        >>> unwrapped(AveragedModel(nn.DataParallel(network))).in_features
        2
    """
    while True:
        if isinstance(inner := vars(network).get("_modules", {}).get("_orig_mod"), nn.Module):
            network = inner
        elif isinstance(network, _AROUND):
            network = network.module
        else:
            return network
