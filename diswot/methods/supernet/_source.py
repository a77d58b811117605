"""Students that are cut out of supernets."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from torch import nn

from diswot.errors import SpaceError
from diswot.methods.supernet._slicing import extract, tie
from diswot.students import build_student
from diswot.tasks import SplitName
from search_spaces import Architecture, SearchSpace, Signature


@dataclass(frozen=True, eq=False)
class Supernet:
    """A trained supernet and the architectures that can be cut out of it.

    Attributes:
        archs: architectures of its sub-space, the smallest first.
        network: the supernet with its weights.
    """

    archs: Sequence[Architecture]
    network: nn.Module


@dataclass(frozen=True, eq=False)
class Sliced:
    """A source of students with weights from the supernet of their sub-space.

    Attributes:
        space: the search space, which builds the networks.
        signature: shapes of the networks' inputs and outputs.
        supernets: one supernet per sub-space.
        scored_on: candidates are scored on held-out texts, because supernets were trained on
            the training split.
    """

    space: SearchSpace
    signature: Signature
    supernets: Sequence[Supernet]
    scored_on: SplitName = field(default="val", init=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the supernets' weights."""
        content = hashlib.sha256()
        for supernet in self.supernets:
            for name, tensor in supernet.network.state_dict().items():
                content.update(name.encode())
                content.update(tensor.cpu().contiguous().numpy().tobytes())
        return content.hexdigest()

    def skeleton(self, arch: Architecture) -> nn.Module:
        """Return the network of an architecture with random weights, to measure its costs."""
        return self.space.network(arch, self.signature)

    def student(self, arch: Architecture, *, seed: int | None = None) -> nn.Module:
        """Return a student with a copy of its weights in the supernet.

        Args:
            arch: an architecture of a sub-space.
            seed: seed of the initialization, which the copied weights replace.

        Raises:
            SpaceError: the architecture is in no sub-space.
        """
        student = build_student(self.space, arch, self.signature, seed=seed)
        return extract(student, self._of(arch))

    def view(self, arch: Architecture) -> nn.Module:
        """Return a student whose parameters share memory with the supernet.

        Args:
            arch: an architecture of a sub-space.

        Raises:
            SpaceError: the architecture is in no sub-space.
        """
        student = build_student(self.space, arch, self.signature)
        return tie(student, self._of(arch))

    def _of(self, arch: Architecture) -> nn.Module:
        for supernet in self.supernets:
            if arch in supernet.archs:
                return supernet.network
        raise SpaceError(f"{self.space.to_string(arch)} is in no sub-space of the supernets")
