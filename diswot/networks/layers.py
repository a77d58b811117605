"""Find layers with weights, activation functions and blocks of a network."""

from collections import Counter
from collections.abc import Iterator, Mapping

from torch import nn

from diswot.networks import inner

WeightLayer = nn.modules.conv._ConvNd | nn.Linear

_SEQUENCES = (nn.Sequential, nn.ModuleList)
_ACTIVATION_FUNCTIONS = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Hardswish,
    nn.Mish,
)
"""Activation functions whose output has the sign of their input."""


def weight_layers(network: nn.Module) -> list[WeightLayer]:
    """Return all convolutions and linear layers."""
    return [module for module in network.modules() if isinstance(module, WeightLayer)]


def convolutions(network: nn.Module) -> list[nn.Module]:
    """Return all convolutions; if there is at most one, all linear layers as well."""
    layers = weight_layers(network)
    results = [layer for layer in layers if not isinstance(layer, nn.Linear)]
    return list(results if len(results) > 1 else layers)


def activation_functions(network: nn.Module) -> list[nn.Module]:
    """Return all modules that are rectifiers such as ReLU, GELU or SiLU."""
    return [module for module in network.modules() if isinstance(module, _ACTIVATION_FUNCTIONS)]


def blocks(network: nn.Module) -> list[nn.Module]:
    """Return the blocks of a network, such as residual blocks, cells or transformer layers.

    Containers, and modules with a container of several blocks, are opened recursively; every
    remaining module with children is a block. Containers are `nn.Sequential` and modules that
    are never called themselves (`nn.ModuleList`, `nn.ModuleDict`, modules without `forward`).
    A module with several named blocks that occurs several times (such as a cell with named
    edges) is a block itself. If there are no blocks, the layers with weights are returned.

    Examples:
        >>> from search_spaces import CifarResNet
        >>> len(blocks(CifarResNet((3, 5, 1), num_classes=10)))
        9
    """
    network = inner(network)
    kinds = Counter(type(module) for module in network.modules())
    results = [module for module in _opened(network, kinds) if _has_modules(module)]
    return results or list(weight_layers(network))


def _opened(network: nn.Module, kinds: Mapping[type, int]) -> Iterator[nn.Module]:
    for child in network.children():
        if _is_container(child) or _holds_blocks(child, once=kinds[type(child)] == 1):
            yield from _opened(child, kinds)
        else:
            yield child


def _holds_blocks(module: nn.Module, *, once: bool) -> bool:
    """Return whether a module has a container of several blocks.

    Args:
        module: the module.
        once: whether its class occurs only once in the network; then any kind of container
            counts, otherwise only `nn.Sequential` and `nn.ModuleList`.
    """
    return any(
        (_is_container(inside) if once else type(inside) in _SEQUENCES)
        and sum(map(_has_modules, inside.children())) > 1
        for inside in module.modules()
    )


def _is_container(module: nn.Module) -> bool:
    never_called = type(module).forward is nn.Module.forward
    return type(module) in _SEQUENCES or never_called


def _has_modules(module: nn.Module) -> bool:
    return any(True for _ in module.children())
