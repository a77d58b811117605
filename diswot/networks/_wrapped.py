"""Networks in wrappers: one that normalizes images, compiles, or trains in several processes."""

from torch import nn

_WRAPPERS = (["network"], ["module"], ["_orig_mod"])
"""Names of the only module of a wrapper: our own, of torch's parallel ones, and compiled."""


def inner(network: nn.Module) -> nn.Module:
    """Return the network in a wrapper, or else itself.

    So dotted paths, blocks and names in messages are the network's own.
    """
    children = dict(network.named_children())
    while list(children) in _WRAPPERS:
        (network,) = children.values()
        children = dict(network.named_children())
    return network


def named(network: nn.Module) -> str:
    """Return what messages call a network that has no name: by the class of what is wrapped.

    Examples:
        >>> named(nn.DataParallel(nn.Linear(2, 2)))
        'the network Linear'
    """
    return f"the network {type(inner(network)).__name__}"


def path_of(module: nn.Module, network: nn.Module) -> str:
    """Return the dotted path of a module in a network, without wrappers."""
    paths = {found: path for path, found in inner(network).named_modules()}
    return str(paths.get(module, type(module).__name__))
