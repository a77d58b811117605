"""Fisher: estimated change of the loss when each channel is removed."""

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
    """Return Σ_w Δ_c(w), where Δ_c = ½ · mean_b (Σ_p a_bcp · ∂L/∂a_bcp)².

    Source: Theis et al., 2018, and Turner et al., BlockSwap, ICLR 2020, section 3. a_bcp is
    the output of a convolution or linear layer for image b, channel c and position (or token)
    p; c(w) is the output channel of weight w. The papers count each channel once; published
    scores (NASLib) count it once per weight, as here.
    """
    return stack(
        [
            _saliency(output, gradient) * (layer.weight.numel() / _channels(output).shape[-1])
            for layer, output, gradient in student.output_gradients
        ]
    ).sum()


def _saliency(output: Tensor, gradient: Tensor) -> Tensor:
    """Return the sum of Δ_c over the channels of one layer."""
    by_channel = _channels(output * gradient).sum(dim=1)
    return by_channel.square().mean(dim=0).sum() / 2


def _channels(output: Tensor) -> Tensor:
    """Reshape (B, C, H, W), (B, T, C) or (B, C) to (B, positions, C)."""
    last = output.flatten(2).mT if output.ndim == 4 else output
    return last.reshape(len(last), -1, last.shape[-1])
