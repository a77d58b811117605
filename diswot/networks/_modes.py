"""The modes of a network: training or evaluation, module by module."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def kept_modes(network: nn.Module) -> Iterator[None]:
    """Restore the modes of `network` and of every module in it, however they are changed."""
    modes = {module: module.training for module in network.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def scoring_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Put `network` into the mode in which untrained networks are scored.

    Batch normalization uses the batch (an untrained network has no statistics of
    its own), dropout is off (a score is not a lottery). Modes are restored.
    """
    with kept_modes(network):
        network.train()
        for module in network.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()
        yield network
