"""Set and restore the training or evaluation mode of every module."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def kept_modes(network: nn.Module) -> Iterator[Collection[nn.Module]]:
    """Restore the modes of all modules of `network`, which are yielded, after the block."""
    modes = {module: module.training for module in network.modules()}
    try:
        yield modes
    finally:
        for module, mode in modes.items():
            if module.training is not mode:  # setting an attribute of a module is slow
                module.training = mode


@contextmanager
def scoring_mode(network: nn.Module) -> Iterator[nn.Module]:
    """Put `network` into the mode for scoring inside the block; modes are restored afterwards.

    Batch normalization uses the statistics of the batch, because an untrained network has no
    running statistics. Dropout is off, so that scores are deterministic.
    """
    with kept_modes(network) as modules:
        network.train()
        for module in modules:
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()
        yield network
