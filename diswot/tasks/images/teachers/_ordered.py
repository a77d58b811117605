"""Networks whose outputs are put in the order of the data's classes."""

from collections import defaultdict

import torch
from torch import Tensor, nn

from diswot.networks.output import output_of
from diswot.tasks.images._image_spec import ImageSpec
from diswot.tasks.images.teachers._as_trained import AsTrained


class InOrder(nn.Module):
    """A network whose classes are in another order; for those without one linear classifier.

    Args:
        network: gives the logits.
        order: for each class the place of its logit in the network's output.
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
    """Return a network whose output of class c is what was output `order[c]`.

    The rows of its classifier are moved in place, where that is a linear layer.

    Args:
        network: a network in the mode that it is evaluated in.
        order: for each class the place of its logit in the network's output (N,).
        images: what it takes.
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
    """Return the linear layer whose output the network returns as it is, if there is one."""
    seen: dict[nn.Linear, list[Tensor]] = defaultdict(list)

    def see(module: nn.Module, _inputs: object, output: Tensor) -> None:
        if isinstance(module, nn.Linear):
            seen[module].append(output.clone())

    sample = torch.randn(2, *images.shape, generator=torch.Generator().manual_seed(0))
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_hook(see) for module in linear]
    try:
        output = output_of(network.eval()(sample))
    finally:
        for hook in hooks:
            hook.remove()
    found = [layer for layer, outs in seen.items() if any(torch.equal(output, o) for o in outs)]
    alone = len(found) == 1 and len(seen[found[0]]) == 1 and not _is_shared(found[0], network)
    return found[0] if alone else None


def _is_shared(layer: nn.Linear, network: nn.Module) -> bool:
    """Return whether another module has the same weight, or computes it."""
    parameters = ((m, p) for m in network.modules() for p in m._parameters.values())
    return [module for module, parameter in parameters if parameter is layer.weight] != [layer]
