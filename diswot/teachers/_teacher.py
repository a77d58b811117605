"""What a teacher is to those who use it, also one that is given inputs in its own way."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from diswot.seeding import torch_seed


class OwnView(nn.Module):
    """Takes inputs as students take them, and gives them to a network in its own way.

    What `extra_repr` says of that way is part of the digest of a teacher; checkpoints are those
    of the network within.

    Args:
        network: what is given the inputs; also the attribute `network`.

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
        name: what it is called in manifests.
        build: makes the network, initialized from torch's global generator.
        weights: makes the network with its weights; `None` where there are none yet.
        notes: what its user should know of how it was taken, a line each.
    """

    name: str
    build: Callable[[], nn.Module]
    weights: Callable[[], nn.Module] | None
    notes: tuple[str, ...] = ()

    def initialized(self, seed: int) -> nn.Module:
        """Return the network at the random initialization that `seed` gives."""
        with torch_seed(seed):
            return self.build()

    initialised = initialized
    """The name of version 0.1.0."""

    def digest(self) -> str:
        """SHA-256 of its parameters' names and shapes, and of its weights where it has any.

        How it takes its inputs is part of it, where that is not how students take them.
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
