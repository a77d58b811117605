"""How many directions the layers of an untrained student read and write in one image of noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, Activations, Watch
from diswot.networks.layers import WeightLayer, weight_layers
from diswot.networks.precision import at_least_single
from diswot.networks.probe import ALL, Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

IMAGES = 4
"""Images of noise in the pass, each of which is read by itself."""


@dataclass(frozen=True, eq=False)
class LayerCall:
    """What one call of a convolution or linear layer does.

    Attributes:
        read: directions of its channels that its input fills.
        written: those that its output fills.
        positions: how many its output has in each example.
        taps: positions of its kernel; 1 of a linear layer.
        channels: how many its output has.
    """

    read: Tensor
    written: Tensor
    positions: int
    taps: int
    channels: int

    @property
    def worth(self) -> Tensor:
        """√(q r / P) · ln(q r t), with q read, r written, P positions and t taps."""
        pairs = self.read * self.written
        return (pairs / self.positions).sqrt() * (pairs * self.taps).log()


@register(
    Card(
        "student_fit",
        "directions that the layers read and write in an image of noise, per side of their maps",
        "this project, docs/student-fit.md",
        needs_teacher=False,
        teacher_state="trained",
        cost=f"one forward pass of {IMAGES} images of noise",
        supports="any network",
        examples=16,
        repeats=2,
        version=2,
    )
)
def student_fit(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(1 + Σ_l √(q_l r_l / P_l) · ln(q_l r_l t_l)), summed over the calls of layers.

    r_l is how many directions of its channels layer l fills over the P_l positions that it
    writes of one image, q_l how many are filled where it reads, both means over the images
    (`filled_directions`); t_l is the number of positions of its kernel. Layers that write one
    position count nothing, nor do those that read and write constants. Where all layers are
    of one position, the examples of the whole batch take the place of positions. The value is
    NaN where an output is not finite.

    Raises:
        NetworkError: no convolution and no linear layer is called.
    """
    calls, output = layer_calls(student, slice(IMAGES))
    if all(call.positions == 1 for call in calls):
        calls, output = layer_calls(student, ALL)
    if not calls:
        raise NetworkError(
            f"{student.who} calls no convolution and no linear layer as a module: write its layers "
            "as modules, or use another scorer"
        )
    return torch.where(output.isfinite().all(), sum_of_layers(calls), torch.nan)


def sum_of_layers(calls: Sequence[LayerCall]) -> Tensor:
    """Return the score of a network from the calls of its layers."""
    counted = [call for call in calls if call.positions > 1] or calls
    return torch.stack([call.worth for call in counted]).sum().log1p()


def layer_calls(student: Probe, places: slice) -> tuple[list[LayerCall], Tensor]:
    """Return the calls of all layers in a pass of noise, and the output of the network.

    Args:
        student: what is read.
        places: of the examples of the batch in whose place there is noise.
    """
    noise = student.noise(student.generator("student fit"), places)
    watches = [_watch(layer) for layer in weight_layers(student.network)]
    with torch.no_grad(), ActivationReader(student.network, watches=watches) as read:
        activations = read(*noise)
    calls = [call for watch in watches for call in activations.watched(watch)]
    return calls, activations.output


def filled_directions(samples: Tensor) -> Tensor:
    """Return how many directions samples (…, n, C) fill, their participation ratio: (…).

    (Σλ)² / Σλ², of the variances λ of the principal components: C where all have the same, at
    most n − 1, and 1 where all samples are equal.

    Examples:
        >>> filled_directions(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        tensor(2., dtype=torch.float64)
    """
    centered = at_least_single(samples - samples.mean(dim=-2, keepdim=True))
    wide = centered.shape[-1] > centered.shape[-2]
    gram = (centered @ centered.mT if wide else centered.mT @ centered).double()
    total = gram.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    filled = total.square() / gram.square().sum(dim=(-2, -1))
    return torch.where(total == 0, 1, filled).clamp(min=1)


def _watch(layer: WeightLayer) -> Watch[LayerCall]:
    return Watch(lambda _network: [layer], partial(_call, layer))


def _call(layer: WeightLayer, given: Tensor, output: Tensor) -> LayerCall:
    read, written = (_channels(layer, each) for each in (given, output))
    positions, width = written.shape[1:]
    if positions == 1:
        read, written = read.transpose(0, 1), written.transpose(0, 1)
    q, r = (filled_directions(each).mean() for each in (read, written))
    return LayerCall(q, r, positions, layer.weight.shape[2:].numel(), width)


def _channels(layer: WeightLayer, output: Tensor) -> Tensor:
    """Return the channels at every position of every example: (B, P, C)."""
    if isinstance(layer, nn.Linear):
        rows = output if output.ndim > 1 else output[None]
        return rows.reshape(len(rows), -1, rows.shape[-1])
    return output.flatten(2).mT
