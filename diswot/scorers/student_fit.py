"""Student fit, the default score: how many directions the layers of an untrained student use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

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
"""Number of noise images in the pass; each is analyzed separately."""


@dataclass(frozen=True, eq=False)
class LayerCall:
    """One call of a convolution or linear layer.

    Attributes:
        read: participation ratio (effective dimension) of the input's channels, a scalar.
        written: participation ratio of the output's channels, a scalar.
        values: number of input values per example.
        positions: number of output positions per example.
        taps: number of kernel positions; 1 for a linear layer.
        inputs: number of input channels.
        channels: number of output channels.
        order: position of the call among all calls of the forward pass.
    """

    read: Tensor
    written: Tensor
    values: int
    positions: int
    taps: int
    inputs: int
    channels: int
    order: int

    @property
    def worth(self) -> Tensor:
        """√(q r / P) · ln(q r t), for q = read, r = written, P = positions and t = taps."""
        pairs = self.read * self.written
        return (pairs / self.positions).sqrt() * (pairs * self.taps).log()


@register(
    Card(
        "student_fit",
        "directions that the layers use for noise, and rank of what the last layer can output",
        "this project, docs/student-fit.md",
        needs_teacher=False,
        teacher_state="trained",
        cost=f"one forward pass of {IMAGES} images of noise",
        supports="any network",
        examples=16,
        repeats=2,
        version=4,
    )
)
def student_fit(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln(1 + ρ s Σ_l √(q_l r_l / P_l) · ln(q_l r_l t_l)), summed over calls of layers l.

    Source: this project, docs/student-fit.md. q_l and r_l are the participation ratios
    (`filled_directions`) of the input and output channels of layer l, over the positions of
    one noise image and averaged over images; P_l is the number of output positions and t_l the
    number of kernel positions. ρ is the `output_freedom` of the last layer. Layers with one
    output position are left out of the sum; layers whose input and output are constant add 0.
    If all layers have one position, the examples of the batch take the place of positions. The
    score is NaN if an output is not finite.

    Raises:
        NetworkError: the network calls no convolution and no linear layer.
    """
    calls, output, noise = _calls(student)
    return torch.where(output.isfinite().all(), fit_of(calls, output, noise), torch.nan)


def fit_of(calls: Sequence[LayerCall], output: Tensor, noise: Tensor) -> Tensor:
    """Return the score of a network.

    Args:
        calls: the calls of all layers.
        output: the network's output, (B, K).
        noise: the network's first input, (B, …).

    Returns:
        The score, a scalar.
    """
    in_order = sorted(calls, key=lambda call: call.order)
    last, outputs = in_order[-1], output.shape[-1]
    factor = input_scale(in_order[0].values, noise)
    if last.channels == outputs:
        factor *= output_freedom(last.inputs * last.taps, outputs)
    return (factor * torch.stack([call.worth for call in _counted(calls)]).sum()).log1p()


def input_scale(values: int, examples: Tensor) -> float:
    """Return the factor by which a network resizes the sides of its input.

    It is the square root of the number of values that the first layer reads of an example,
    divided by the number of values of an example: 1/2 for a network that halves the height and
    width of images. Without the factor, the maps of such a network would count as those of a
    deeper layer, although it sees less. It is 1 for token ids.

    Args:
        values: number of values that the first layer reads of an example.
        examples: the network's first input, (B, …).

    Examples:
        >>> input_scale(3 * 8 * 8, torch.zeros(2, 3, 16, 16))
        0.5
    """
    if not examples.is_floating_point():
        return 1.0
    return float((values / examples[0].numel()) ** 0.5)


def output_freedom(width: int, outputs: int) -> float:
    """Return how free the outputs of a linear layer are that reads `width` numbers.

    Outputs that are computed from d numbers have at most rank d, but K classes need K - 1
    (Yang et al., "Breaking the Softmax Bottleneck", ICLR 2018). A matrix of rank d with
    n = K - 1 rows and columns has d(2n - d) degrees of freedom out of n². The result is their
    ratio, or 1 if d ≥ n.

    Examples:
        >>> output_freedom(64, 10), output_freedom(9, 10)
        (1.0, 1.0)
        >>> round(output_freedom(4, 10), 3)
        0.691
    """
    missing = max(0.0, 1 - width / (outputs - 1)) if outputs > 1 else 0.0
    return 1 - missing**2


def layer_quantities(student: Probe) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return q, r, t, P and c of the layers that `student_fit` counts, each (L,).

    Participation ratios of input and output channels, kernel positions, output positions and
    output channels, for scores that sum a formula over layers.

    Raises:
        NetworkError: the network calls no convolution and no linear layer.
    """
    calls, _, _ = _calls(student)
    rows = [(c.read, c.written, c.taps, c.positions, c.channels) for c in _counted(calls)]
    q, r, t, positions, channels = torch.tensor(rows, dtype=torch.float64).T
    return q, r, t, positions, channels


def _counted(calls: Sequence[LayerCall]) -> Sequence[LayerCall]:
    """Return the calls that count: those with several output positions, if there are any."""
    return [call for call in calls if call.positions > 1] or calls


def _calls(student: Probe) -> tuple[Sequence[LayerCall], Tensor, Tensor]:
    """Return the calls of all layers, the network's output, and its first input.

    Raises:
        NetworkError: the network calls no convolution and no linear layer.
    """
    calls, output, noise = layer_calls(student, slice(IMAGES))
    if all(call.positions == 1 for call in calls):
        calls, output, noise = layer_calls(student, ALL)
    if not calls:
        raise NetworkError(
            f"{student.who} calls no convolution and no linear layer as a module: write its layers "
            "as modules, or use another scorer"
        )
    return calls, output, noise


def layer_calls(student: Probe, images: slice) -> tuple[list[LayerCall], Tensor, Tensor]:
    """Run the student on noise; return the calls of all layers, its output and its first input.

    Args:
        student: the network.
        images: examples of the batch whose shapes the noise has.
    """
    noise = student.noise(student.generator("student fit"), images)
    order = count()
    watches = [_watch(layer, order) for layer in weight_layers(student.network)]
    network, who = student.network, student.who
    reader = ActivationReader(network, watches=watches, who=who, only_watched=True)
    with torch.no_grad(), reader as read:
        activations = read(*noise)
    calls = [call for watch in watches for call in activations.watched(watch)]
    return calls, activations.output, noise[0]


def filled_directions(samples: Tensor) -> Tensor:
    """Return the participation ratio of samples, an effective number of directions.

    (Σλ)² / Σλ² for the variances λ along the principal components: C if all are equal, at most
    n − 1, and 1 if all samples are equal.

    Args:
        samples: n samples of C channels, (…, n, C).

    Returns:
        Participation ratios (…) in double precision, at least 1.

    Examples:
        >>> filled_directions(torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]]))
        tensor(2., dtype=torch.float64)
    """
    centered = at_least_single(samples - samples.mean(dim=-2, keepdim=True))
    # Both Gram matrices have the same nonzero eigenvalues: take the smaller one. Their sum is
    # the trace, and the sum of their squares the squared Frobenius norm.
    wide = centered.shape[-1] > centered.shape[-2]
    gram = (centered @ centered.mT if wide else centered.mT @ centered).double()
    total = gram.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
    filled = total.square() / gram.square().sum(dim=(-2, -1))
    return torch.where(total == 0, 1, filled).clamp(min=1)


def _watch(layer: WeightLayer, order: Iterator[int]) -> Watch[LayerCall]:
    return Watch(lambda _network: [layer], partial(_call, layer, order))


def _call(layer: WeightLayer, order: Iterator[int], given: Tensor, output: Tensor) -> LayerCall:
    read, written = (_channels(layer, item) for item in (given, output))
    values, inputs, (positions, width) = read[0].numel(), read.shape[-1], written.shape[1:]
    if positions == 1:  # the examples take the place of positions
        read, written = read.transpose(0, 1), written.transpose(0, 1)
    q, r = (filled_directions(item).mean() for item in (read, written))
    taps = layer.weight.shape[2:].numel()
    return LayerCall(q, r, values, positions, taps, inputs, channels=width, order=next(order))


def _channels(layer: WeightLayer, output: Tensor) -> Tensor:
    """Reshape the input or output of a layer to (B, positions, C)."""
    if isinstance(layer, nn.Linear):
        rows = output if output.ndim > 1 else output[None]
        return rows.reshape(len(rows), -1, rows.shape[-1])
    return output.flatten(2).mT
