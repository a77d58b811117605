"""Networks inside wrappers: OwnView, DataParallel, `torch.compile`."""

from torch import nn
from torch.optim.swa_utils import AveragedModel

_WRAPPERS = (["network"], ["module"], ["_orig_mod"])
"""Names of the only child of a wrapper: OwnView, DataParallel, and `torch.compile`."""

_AROUND = (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)
"""Modules of torch that hold the network itself as `module`."""


def inner(network: nn.Module) -> nn.Module:
    """Return the network inside all wrappers, whose module paths and blocks are its own."""
    children = dict(network.named_children())
    while list(children) in _WRAPPERS:
        (network,) = children.values()
        children = dict(network.named_children())
    return network


def unwrapped(network: nn.Module) -> nn.Module:
    """Return the network inside torch's wrappers: `compile`, `DataParallel`, `AveragedModel`.

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


def named(network: nn.Module) -> str:
    """Return the name of a network in messages, by the class of the wrapped network.

    Examples:
        >>> named(nn.DataParallel(nn.Linear(2, 2)))
        'the network Linear'
    """
    return f"the network {type(inner(network)).__name__}"


def path_of(module: nn.Module, network: nn.Module) -> str:
    """Return the dotted path of a module in a network, without its wrappers."""
    paths = {found: path for path, found in inner(network).named_modules()}
    return str(paths.get(module, type(module).__name__))
