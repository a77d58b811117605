"""Which modules of a network are its layers of weights, its activation functions, its blocks."""

from collections.abc import Iterator

from torch import nn

WeightLayer = nn.modules.conv._ConvNd | nn.Linear

_CONTAINERS = (nn.Sequential, nn.ModuleList)
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
    """Return all convolutions; of a network that has one at most, all linear layers besides."""
    layers = weight_layers(network)
    found = [layer for layer in layers if not isinstance(layer, nn.Linear)]
    return list(found if len(found) > 1 else layers)


def activation_functions(network: nn.Module) -> list[nn.Module]:
    """Return all modules that are rectifiers, smooth ones included."""
    return [module for module in network.modules() if isinstance(module, _ACTIVATION_FUNCTIONS)]


def blocks(network: nn.Module) -> list[nn.Module]:
    """Return the blocks that the network is a sequence of, such as residual blocks or cells.

    Containers (`nn.Sequential`, `nn.ModuleList`), and modules that hold a container of
    several blocks, are opened; what remains and has modules of its own is a block. A
    network without such has its convolutions and linear layers as blocks.

    Examples:
        >>> from search_spaces import CifarResNet
        >>> len(blocks(CifarResNet((3, 5, 1), num_classes=10)))
        9
    """
    found = [module for module in _opened(network) if any(True for _ in module.children())]
    return found or list(weight_layers(network))


def _opened(network: nn.Module) -> Iterator[nn.Module]:
    for child in network.children():
        if type(child) in _CONTAINERS or _holds_blocks(child):
            yield from _opened(child)
        else:
            yield child


def _holds_blocks(module: nn.Module) -> bool:
    return any(
        type(inner) in _CONTAINERS
        and sum(any(True for _ in child.children()) for child in inner.children()) > 1
        for inner in module.modules()
    )
