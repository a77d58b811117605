"""DSS: synaptic diversity of attention weights, and synaptic saliency of other weights."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from diswot.networks import Activations
from diswot.networks.attention import attentions, check_attention
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

_SOURCE = "Zhou et al., Training-free Transformer Architecture Search, CVPR 2022"
_COST = "one forward and one backward pass"
_SUPPORTS = "transformers with query, key and value layers that return logits"


@register(
    Card(
        "synaptic_diversity",
        "nuclear norm of the attention weights times that of their gradient",
        f"{_SOURCE}, equation 4",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost=_COST,
        supports=_SUPPORTS,
        reads=("tokens", "attention", "logits"),
    )
)
def synaptic_diversity(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ ‖∂L/∂W‖_* · ‖W‖_* over the weights W of linear layers in self-attentions.

    Source: Zhou et al., Training-free Transformer Architecture Search, CVPR 2022, equation 4.
    ‖·‖_* is the nuclear norm, and L the loss of the batch.

    Raises:
        NetworkError: the network has no self-attention.
    """
    check_attention(student.network, student.who)
    results = [
        torch.linalg.matrix_norm(gradient, "nuc") * torch.linalg.matrix_norm(weight, "nuc")
        for weight, gradient in _weights(student, attention=True)
    ]
    return torch.stack(results).sum()


@register(
    Card(
        "synaptic_saliency",
        "weights of feed-forward layers times their gradients",
        f"{_SOURCE}, equation 6",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost=_COST,
        supports=_SUPPORTS,
        reads=("tokens", "attention", "logits"),
    )
)
def synaptic_saliency(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ ∂L/∂W ⊙ W over the weights W of linear layers outside of attentions.

    Source: Zhou et al., Training-free Transformer Architecture Search, CVPR 2022, equation 6.
    The classifier is left out, because its size depends on the number of classes.
    """
    results = [(gradient * weight).sum() for weight, gradient in _weights(student, attention=False)]
    return torch.stack(results).sum()


def _weights(student: Probe, *, attention: bool) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (weight, loss gradient) of the linear layers inside attentions, or outside them."""
    within = {
        id(layer)
        for module in attentions(student.network)
        for layer in module.modules()
        if isinstance(layer, nn.Linear)
    }
    for layer, gradient in student.weight_gradients:
        classifier = layer.weight is student.classifier_weight
        if isinstance(layer, nn.Linear) and (id(layer) in within) == attention and not classifier:
            yield layer.weight, gradient
