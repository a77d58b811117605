"""The types `Teacher` and `OwnView`, a teacher with its own preprocessing of inputs."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from diswot.seeding import torch_seed


class OwnView(nn.Module):
    """Base class of wrappers that convert the students' inputs for a teacher's network.

    For example, it resizes and normalizes images as in the teacher's pre-training. `extra_repr`
    must describe the conversion, because it is part of the teacher's digest. Checkpoints are
    loaded into the wrapped network.

    Args:
        network: the wrapped network, kept as the attribute `network`.

    Examples:
        >>> class Doubled(OwnView):
        ...     def forward(self, inputs):
        ...         return self.network(2 * inputs)
        >>> list(dict(Doubled(nn.ReLU()).named_children()))
        ['network']
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network


@dataclass(frozen=True)
class Teacher:
    """A network to distill from.

    Attributes:
        name: name in manifests.
        build: makes the network with random weights from torch's global generator.
        weights: makes the network with trained weights; `None` if there are none yet.
        notes: messages for the user, one line each.
    """

    name: str
    build: Callable[[], nn.Module]
    weights: Callable[[], nn.Module] | None
    notes: tuple[str, ...] = ()

    def initialized(self, seed: int) -> nn.Module:
        """Return the network, randomly initialized from `seed`."""
        with torch_seed(seed):
            return self.build()

    initialised = initialized
    """Former spelling (version 0.1.0)."""

    def digest(self) -> str:
        """Return the SHA-256 of name, shapes and trained weights (if any) of the teacher.

        If it has its own preprocessing (`OwnView`), that is included.
        """
        network = self.weights() if self.weights is not None else self.initialized(0)
        content = hashlib.sha256(self.name.encode())
        if isinstance(network, OwnView):
            content.update(network.extra_repr().encode())
        for name, tensor in network.state_dict().items():
            content.update(f"{name}{tuple(tensor.shape)}".encode())
            if self.weights is not None:
                content.update(tensor.cpu().contiguous().view(-1).view(torch.uint8).numpy())
        return content.hexdigest()
