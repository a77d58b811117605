"""Networks that are given inputs in their own way."""

from torch import nn


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
