"""VKDNW: how evenly the Fisher information is spread over the weights of a network."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from diswot.activations import ActivationReader, Activations
from diswot.errors import NetworkError
from diswot.layers import WeightLayer, weight_layers
from diswot.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._passes import EachImageAlone
from diswot.scorers._registry import register

LAYERS = 128
"""Layers, the first ones, of which one weight each is looked at."""

TOGETHER = 16
"""Images in one pass, which bounds the memory that its graph takes."""


@register(
    Card(
        "vkdnw",
        "number of layers, and entropy of the spectrum of the Fisher information",
        "Tybl and Neumann, VKDNW, CVPR 2025, equations 8 to 12",
        needs_teacher=False,
        needs_gradients=True,
        cost="one forward pass and a backward pass of each class",
        supports="networks with a linear classifier",
    )
)
def vkdnw(student: Probe, _teacher: Activations) -> Tensor:
    """Return ℵ − Σ_k λ̃_k ln λ̃_k, ℵ the number of convolutions and linear layers.

    λ̃ are the nine deciles of the eigenvalues of the Fisher information matrix, divided
    by their sum. The matrix is that of the predicted classes, so labels play no part.

    Readings: of each of the first 128 layers the matrix has one weight, the first. An
    image is alone in its pass (batch normalisation takes mean and variance from it),
    as the matrix is a mean over images. The images are those of the batch; the paper
    takes noise, and finds no difference.

    Raises:
        NetworkError: the output depends on no weight, or batch normalisation has a
            single value of an image.
    """
    eigenvalues = torch.linalg.eigvalsh(_fisher_information(student)).clamp(min=0)
    deciles = eigenvalues.quantile(torch.arange(1, 10).to(eigenvalues) / 10)
    if deciles.sum() <= 0:
        raise NetworkError(
            "the output does not depend on the weights, so they have no Fisher information: "
            "use another scorer for this network"
        )
    entropy: Tensor = torch.special.entr(deciles / deciles.sum()).sum()
    return entropy + len(weight_layers(student.network))


def _fisher_information(student: Probe) -> Tensor:
    """Return the mean over images of Aᵀ A, A = √σ_c · (∂z_c − Σ_k σ_k ∂z_k): (p, p).

    z are the logits and σ their softmax, so that Aᵀ A = Jᵀ (diag σ − σ σᵀ) J, without
    the difference of two nearly equal matrices.
    """
    layers = weight_layers(student.network)[:LAYERS]
    directions = {layer: _direction(layer) for layer in layers}
    total = torch.zeros(len(layers), len(layers), dtype=torch.double, device=student.images.device)
    for images in torch.split(student.images.detach(), TOGETHER):
        logits, jacobian = _jacobian(student, images, directions)
        probabilities = logits.double().softmax(dim=1).unsqueeze(2)
        centred = jacobian.double()
        centred -= (probabilities * centred).sum(dim=1, keepdim=True)
        rows = (probabilities.sqrt() * centred).flatten(0, 1)
        total += rows.T @ rows
    return total / len(student.images)


def _direction(layer: WeightLayer) -> WeightLayer:
    """Return a layer whose output is the derivative of that of `layer` for its first weight."""
    direction = copy.deepcopy(layer)
    for parameter in direction.parameters():
        parameter.zero_()
    direction.weight.view(-1)[0] = 1
    return direction


def _jacobian(
    student: Probe, images: Tensor, directions: Mapping[WeightLayer, WeightLayer]
) -> tuple[Tensor, Tensor]:
    """Return logits (B, N) and their derivatives for the first weight of each layer, (B, N, p)."""
    moves = images.new_zeros(len(images), len(directions)).requires_grad_()
    with (
        torch.enable_grad(),
        EachImageAlone(),
        _moved(directions, moves),
        ActivationReader(student.network) as read,
    ):
        logits = read(images).logits
        totals = logits.sum(dim=0).unbind()
    jacobian = [student.gradients(total, [moves])[0] for total in totals]
    return logits.detach(), torch.stack(jacobian, dim=1)


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
