"""SynFlow: synaptic flow through a network with positive weights, independent of data."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.copies import copied
from diswot.networks.layers import weight_layers
from diswot.networks.output import run
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

_NORMALIZATIONS = (F.batch_norm, F.layer_norm, F.group_norm, F.instance_norm, F.rms_norm)


class _WithoutNormalization(TorchFunctionMode):
    """A context in which normalization returns its input, because it would cancel the flow."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in _NORMALIZATIONS:
            return args[0] if args else kwargs["input"]
        return func(*args, **(kwargs or {}))


@register(
    Card(
        "synflow",
        "sum of |weight · gradient| for the absolute values of all weights",
        "Tanaka et al., SynFlow, NeurIPS 2020, equation 2, summed as in Abdelfattah et al., "
        "Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward and one backward pass of one image",
        supports="networks that return logits",
    )
)
def synflow(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln Σ |w · ∂R/∂w| over the weights of convolutions and linear layers.

    Source: Tanaka et al., SynFlow, NeurIPS 2020, equation 2, summed as in Abdelfattah et al.,
    ICLR 2021. R is the sum of the logits for an input of ones, with all parameters replaced by
    their absolute values and without normalization. The logarithm is from
    NAS-Bench-Suite-Zero; it does not change ranks.

    Raises:
        NetworkError: the sum is zero (no path through the network) or overflows.
    """
    network = _of_positive_weights(student.network)
    ones = [
        torch.ones_like(example, dtype=torch.double) if example.is_floating_point() else example
        for example in student.examples(slice(1))
    ]
    # With positive weights and an input of ones, nothing cancels out.
    with torch.enable_grad(), _WithoutNormalization():
        flow = run(network, *ones, who=student.who).sum()
    weights = [layer.weight for layer in weight_layers(network)]
    gradients = student.gradients(flow, weights)
    return _logarithm(
        torch.stack([(w * g).abs().sum() for w, g in zip(weights, gradients, strict=True)]).sum()
    )


def _of_positive_weights(network: nn.Module) -> nn.Module:
    positive = copied(network).double()
    for parameter in positive.parameters():
        parameter.abs_()
    return positive


def _logarithm(total: Tensor) -> Tensor:
    if not 0 < float(total) < float("inf"):
        raise NetworkError(
            f"the sum of |weight · gradient| is {float(total)}, so it has no logarithm: the "
            f"signal vanishes in the network, or it is too deep without normalization; use "
            f"another scorer"
        )
    return total.log()
