"""Set and restore the training or evaluation mode of every module."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def kept_modes(network: nn.Module) -> Iterator[None]:
    """Restore the modes of all modules of `network` after the block."""
    modes = {module: module.training for module in network.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def scoring_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Put `network` into the mode for scoring inside the block; modes are restored afterwards.

    Batch normalization uses the statistics of the batch, because an untrained network has no
    running statistics. Dropout is off, so that scores are deterministic.
    """
    with kept_modes(network):
        network.train()
        for module in network.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()
        yield network
