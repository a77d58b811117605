"""Fisher: how much the loss would change without each channel."""

from torch import Tensor, stack

from diswot.networks import Activations
from diswot.networks.probe import LAYER_OUTPUTS, Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register


@register(
    Card(
        "fisher",
        "sum over weights of their channel's (activation · gradient)²",
        "Theis et al., Faster Gaze Prediction with Dense Networks and Fisher Pruning, 2018, and "
        "Turner et al., BlockSwap, ICLR 2020, section 3, summed over weights as in NASLib",
        needs_teacher=False,
        needs_labels=True,
        needs_gradients=True,
        cost="one forward and one backward pass",
        supports="networks that return logits",
    ),
    watches=[LAYER_OUTPUTS],
)
def fisher(student: Probe, _teacher: Activations) -> Tensor:
    """Return Σ_w Δ_c(w), Δ_c = ½ · mean_b (Σ_p a_bcp · ∂L/∂a_bcp)².

    a is the output of a convolution or linear layer, of image b, in channel c(w), the one
    that weight w has a part in, at position or token p. The papers count each channel
    once, and not for each of its weights; the published scores are these.
    """
    return stack(
        [
            _saliency(output, gradient) * (layer.weight.numel() / _channels(output).shape[-1])
            for layer, output, gradient in student.output_gradients
        ]
    ).sum()


def _saliency(output: Tensor, gradient: Tensor) -> Tensor:
    """Return the sum of Δ over the channels of one output."""
    by_channel = _channels(output * gradient).sum(dim=1)
    return by_channel.square().mean(dim=0).sum() / 2


def _channels(output: Tensor) -> Tensor:
    """Return (B, C, H, W), (B, T, C) or (B, C) as (B, positions, C)."""
    last = output.flatten(2).mT if output.ndim == 4 else output
    return last.reshape(len(last), -1, last.shape[-1])
