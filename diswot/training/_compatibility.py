"""Whether a network is compatible with the data."""

import torch
from torch import nn

from diswot.tasks import Dataset, try_network


def check_compatible(
    network: nn.Module, data: Dataset, who: str, *, training: bool = False
) -> None:
    """Make sure that `network` takes the inputs of `data`, and has as many outputs.

    Args:
        network: is in evaluation mode afterwards.
        data: what it is for.
        who: what it is called in messages.
        training: whether it is to be trained, which is tried on a copy.

    Raises:
        NetworkError: it does not; the message begins with `who`.
    """
    device = next((str(each.device) for each in network.parameters()), "cpu")
    inputs = data.batch("train", torch.arange(2), device=device).inputs
    try_network(network, inputs, data, who=who, training=training)
