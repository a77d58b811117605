"""VKDNW: entropy of the spectrum of a network's Fisher information."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import Activations
from diswot.networks.copies import copied
from diswot.networks.layers import WeightLayer, weight_layers
from diswot.networks.output import run
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._passes import EachImageAlone
from diswot.scorers._registry import register

LAYERS = 128
"""Number of layers, from the first, each of which contributes one weight."""

IMAGES = 16
"""Number of images used, from the start of the batch."""

CLASSES = 10
"""Number of classes per image: all if there are no more, otherwise this many are sampled."""


@register(
    Card(
        "vkdnw",
        "number of layers plus the spectral entropy of the Fisher information",
        "Tybl and Neumann, VKDNW, CVPR 2025, equations 8 to 12",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward pass and up to eleven backward passes",
        supports="networks that return logits",
        reads=("logits",),
    )
)
def vkdnw(student: Probe, _teacher: Activations) -> Tensor:
    """Return ℵ − Σ_k λ̃_k ln λ̃_k, where ℵ is the number of convolutions and linear layers.

    Source: Tybl and Neumann, VKDNW, CVPR 2025, equations 8 to 12. λ̃ are the nine deciles of
    the eigenvalues of the Fisher information matrix, divided by their sum. The expectation is
    over the classes as predicted by the network, so labels are not used.

    Implementation: the matrix covers one weight (the first) of each of the first 128 layers,
    and the first 16 images of the batch; the paper uses noise, and reports no difference. Each
    image is a batch of its own for batch normalization. With more than ten classes, ten are
    sampled per image from the predicted probabilities, which is unbiased.

    Raises:
        NetworkError: the output does not depend on these weights, or a batch normalization
            sees only one value per channel of an image.
    """
    eigenvalues = torch.linalg.eigvalsh(_fisher_information(student)).clamp(min=0)
    # Summarize the spectrum by its deciles, as a distribution, and take the entropy.
    deciles = eigenvalues.quantile(torch.arange(1, 10).to(eigenvalues) / 10)
    if deciles.sum() <= 0:
        raise NetworkError(
            "the output does not depend on the weights, so they have no Fisher information: "
            "use another scorer for this network"
        )
    entropy: Tensor = torch.special.entr(deciles / deciles.sum()).sum()
    return entropy + len(weight_layers(student.network))


def _fisher_information(student: Probe) -> Tensor:
    """Return E[∂ln σ_c/∂w (∂ln σ_c/∂w)ᵀ] over images and classes c ~ σ: (p, p) for p weights.

    σ is the softmax of the logits z, so that ∂ln σ_c = ∂z_c − Σ_k σ_k ∂z_k.
    """
    layers = weight_layers(student.network)[:LAYERS]
    directions = {layer: _direction(layer) for layer in layers}
    chance = student.generator("vkdnw")
    examples = [example.detach() for example in student.examples(slice(IMAGES))]
    rows = _score_functions(student, examples, directions, chance)
    return rows.T @ rows / len(examples[0])


def _direction(layer: WeightLayer) -> WeightLayer:
    """Return a copy of `layer` whose output is its derivative with respect to one weight."""
    direction = copied(layer)
    for parameter in direction.parameters():
        parameter.zero_()
    direction.weight[(0,) * direction.weight.ndim] = 1
    return direction


def _score_functions(
    student: Probe,
    examples: Sequence[Tensor],
    directions: Mapping[WeightLayer, WeightLayer],
    chance: torch.Generator,
) -> Tensor:
    """Return √probability · ∂ln σ_c/∂w, one row per image and class, one column per layer."""
    weight = next(student.network.parameters())
    moves = weight.new_zeros(len(examples[0]), len(directions)).requires_grad_()
    # Shift one weight of each layer by a variable of each image, so that one backward pass gives
    # the derivatives of all images.
    with torch.enable_grad(), EachImageAlone(), _moved(directions, moves):
        logits = run(student.network, *examples, who=student.who)
        classes, weights = _classes(logits.detach().softmax(dim=1), chance)
        mean = (logits.detach().softmax(dim=1) * logits).sum()
        totals = [logits.gather(1, column[:, None]).sum() for column in classes.unbind(dim=1)]
    # Subtract the mean over classes: the derivatives are of ln σ_c, not of z_c.
    expected = student.gradients(mean, [moves])[0]
    rows = [student.gradients(total, [moves])[0] - expected for total in totals]
    return (torch.stack(rows, dim=1) * weights.sqrt().unsqueeze(2)).double().flatten(0, 1)


def _classes(probabilities: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return k classes per image and their weights, both (B, k): all classes, or ten sampled."""
    images, count = probabilities.shape
    if count <= CLASSES:
        return torch.arange(count, device=probabilities.device).expand(images, -1), probabilities
    drawn = torch.multinomial(probabilities.cpu(), CLASSES, replacement=True, generator=chance)
    return drawn.to(probabilities.device), torch.full_like(probabilities[:, :CLASSES], 1 / CLASSES)


@contextmanager
def _moved(directions: Mapping[WeightLayer, WeightLayer], moves: Tensor) -> Iterator[None]:
    """Shift the first weight of each layer by `moves` (B, p), separately for each image."""
    handles = [
        layer.register_forward_hook(partial(_add, direction, move))
        for (layer, direction), move in zip(directions.items(), moves.unbind(dim=1), strict=True)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _add(
    direction: nn.Module, move: Tensor, _layer: nn.Module, given: tuple[Tensor, ...], output: Tensor
) -> Tensor:
    with torch.no_grad():
        derivative: Tensor = direction(given[0])
    rows = move.repeat_interleave(len(output) // len(move))
    return output + derivative * rows.reshape(-1, *[1] * (output.ndim - 1))
