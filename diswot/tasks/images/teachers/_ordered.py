"""Permutation of a network's outputs to the order of the data's classes."""

from collections import defaultdict

import torch
from torch import Tensor, nn

from diswot.networks.output import output_of
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained


class InOrder(nn.Module):
    """Permutes the outputs of a network that has no single linear classifier.

    Args:
        network: network that returns logits.
        order: index of each class's logit in the network's output, shape (N,).
    """

    order: Tensor

    def __init__(self, network: nn.Module, order: Tensor) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("order", order)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, C, H, W) to logits (B, N)."""
        return output_of(self.network(images))[:, self.order]


@torch.no_grad()
def ordered(network: nn.Module, order: Tensor, images: ImageSpec) -> nn.Module:
    """Return a network whose output c is output `order[c]` of `network`.

    If its classifier is a linear layer, the rows of that are permuted in place.

    Args:
        network: network in evaluation mode.
        order: index of each class's logit in the network's output, shape (N,).
        images: spec of its input.
    """
    classifier = _classifier(network, images)
    if classifier is not None:
        for parameter in (classifier.weight, classifier.bias):
            if parameter is not None:
                parameter.copy_(parameter[order])
        return network
    if isinstance(network, AsTrained):
        network.network = InOrder(network.network, order)
        return network
    return InOrder(network, order)


def _classifier(network: nn.Module, images: ImageSpec) -> nn.Linear | None:
    """Return the linear layer whose output is the network's output, or `None`."""
    seen: dict[nn.Linear, list[Tensor]] = defaultdict(list)

    def see(module: nn.Module, _inputs: object, output: Tensor) -> None:
        if isinstance(module, nn.Linear):
            seen[module].append(output.clone())

    # Record the outputs of all linear layers on random images, and compare with the network's.
    sample = torch.randn(2, *images.shape, generator=torch.Generator().manual_seed(0))
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_hook(see) for module in linear]
    try:
        output = output_of(network.eval()(sample))
    finally:
        for hook in hooks:
            hook.remove()
    results = [layer for layer, outs in seen.items() if any(torch.equal(output, o) for o in outs)]
    alone = len(results) == 1 and len(seen[results[0]]) == 1 and not _is_shared(results[0], network)
    return results[0] if alone else None


def _is_shared(layer: nn.Linear, network: nn.Module) -> bool:
    """Return whether another module shares the layer's weight, or parametrizes it."""
    parameters = ((m, p) for m in network.modules() for p in m._parameters.values())
    return [module for module, parameter in parameters if parameter is layer.weight] != [layer]
