"""VKDNW: how evenly the Fisher information is spread over the weights of a network."""

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
"""Layers, the first ones, of which one weight each is looked at."""

IMAGES = 16
"""Images that are looked at, the first ones of the batch."""

CLASSES = 10
"""Classes of an image that are looked at: all of so many, and of more as many drawn."""


@register(
    Card(
        "vkdnw",
        "number of layers, and entropy of the spectrum of the Fisher information",
        "Tybl and Neumann, VKDNW, CVPR 2025, equations 8 to 12",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward pass and up to eleven backward passes",
        supports="networks that return logits",
        reads=("logits",),
    )
)
def vkdnw(student: Probe, _teacher: Activations) -> Tensor:
    """Return ℵ − Σ_k λ̃_k ln λ̃_k, ℵ the number of convolutions and linear layers.

    λ̃ are the nine deciles of the eigenvalues of the Fisher information matrix, divided
    by their sum. The matrix is that of the predicted classes, so labels play no part.

    Implementation: of each of the first 128 layers the matrix has one weight, the first. An
    image is alone in its pass (batch normalization takes mean and variance from it),
    as the matrix is a mean over images. The images are the first 16 of the batch; the
    paper takes noise, and finds no difference. The matrix is also a mean over the classes, as
    the network predicts them: of more than ten, ten are drawn for each image, which
    gives the same in expectation.

    Raises:
        NetworkError: the output depends on no weight, or batch normalization has a
            single value of an image.
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
    """Return E[∂ln σ_c/∂w (∂ln σ_c/∂w)ᵀ] over images and their classes c ~ σ: (p, p).

    z are the logits and σ their softmax, so that ∂ln σ_c = ∂z_c − Σ_k σ_k ∂z_k.
    """
    layers = weight_layers(student.network)[:LAYERS]
    directions = {layer: _direction(layer) for layer in layers}
    chance = student.generator("vkdnw")
    examples = [each.detach() for each in student.examples(slice(IMAGES))]
    rows = _score_functions(student, examples, directions, chance)
    return rows.T @ rows / len(examples[0])


def _direction(layer: WeightLayer) -> WeightLayer:
    """Return a layer whose output is the derivative of that of `layer` for its first weight."""
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
    """Return √weight · ∂ln σ_c for the first weight of each layer, a row an image and class."""
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
    """Return classes of each image and their weights, (B, k): all, or ten drawn by chance."""
    images, count = probabilities.shape
    if count <= CLASSES:
        return torch.arange(count, device=probabilities.device).expand(images, -1), probabilities
    drawn = torch.multinomial(probabilities.cpu(), CLASSES, replacement=True, generator=chance)
    return drawn.to(probabilities.device), torch.full_like(probabilities[:, :CLASSES], 1 / CLASSES)


@contextmanager
def _moved(directions: Mapping[WeightLayer, WeightLayer], moves: Tensor) -> Iterator[None]:
    """Let the first weight of each layer be larger by `moves` (B, p), for each image its own."""
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
