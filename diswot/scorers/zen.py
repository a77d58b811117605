"""Zen-Score: sensitivity of the features to small perturbations of a noise input."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from diswot.errors import NetworkError
from diswot.networks import ActivationReader, Activations, Watch
from diswot.networks.copies import copied
from diswot.networks.layers import WeightLayer
from diswot.networks.probe import Probe
from diswot.scorers._card import Card
from diswot.scorers._registry import register

STEP = 0.01
"""α of the paper: relative size of the perturbation."""

IMAGES = 16
"""Number of noise images, as in the released code; fewer if the batch is smaller."""

MOMENTUM = 0.1
"""Momentum of the running variance in PyTorch's batch normalization."""

_BatchNormalization = nn.modules.batchnorm._BatchNorm


def batch_normalizations(network: nn.Module) -> list[nn.Module]:
    """Return all batch normalization modules of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNormalization)]


def _variance(given: Tensor, _output: Tensor) -> Tensor:
    """Return the variance of one batch, averaged over the channels."""
    return given.transpose(0, 1).flatten(1).var(dim=1).mean()


VARIANCE = Watch(batch_normalizations, _variance)


@register(
    Card(
        "zen",
        "sensitivity of the features to the input, corrected for batch normalization",
        "Lin et al., Zen-NAS, ICCV 2021, algorithm 1, with the norm and the variance of its code",
        needs_teacher=False,
        cost="two forward passes of noise",
        supports="networks with a last feature map; only batch normalization in modules is "
        "corrected for",
        reads=("feature maps", "real inputs"),
    )
)
def zen(student: Probe, _teacher: Activations) -> Tensor:
    """Return ln mean_b ‖f(x) − f(x + αε)‖₁ + Σ_l ln σ_l; weights, x and ε from N(0, 1).

    Source: Lin et al., Zen-NAS, ICCV 2021, algorithm 1, with norm and variance of the released
    code. f is the last feature map and α = 0.01. σ_l² is the variance of the input of the l-th
    batch normalization, averaged over channels; without any, the sum is 0.

    Raises:
        NetworkError: the feature map does not depend on the input.
    """
    generator = student.generator("zen")
    network = _drawn(student.network, generator)
    x, noise = (student.noise(generator, slice(IMAGES), real=True) for _ in range(2))
    # Compare the features of noise with those of slightly different noise.
    moved = [a + STEP * b if a.is_floating_point() else a for a, b in zip(x, noise, strict=True)]
    with ActivationReader(network, watches=[VARIANCE]) as read:
        passes = [read(*x), read(*moved)]
    # Not the paper's norm of the whole batch, but what its code and NASLib compute.
    change = (passes[1].feature_map - passes[0].feature_map).flatten(1).abs().sum(dim=1).mean()
    if not change > 0:
        raise NetworkError(
            "the last feature map does not depend on the input, so its Zen-Score is the "
            "logarithm of 0: use another scorer for this network"
        )
    return change.log() + _deviations(network, passes).log().sum()


def _deviations(network: nn.Module, passes: Sequence[Activations]) -> Tensor:
    """Return σ (L,) of each batch normalization.

    The paper uses the variance of the batch; its code and NASLib use the running variance after
    both passes, as here. It starts at 1, so that it is positive even for an input of zeros.
    """
    if not batch_normalizations(network):
        return torch.ones(())
    of_batches = [torch.stack(activations.watched(VARIANCE)) for activations in passes]
    running = torch.ones_like(of_batches[0])
    # The running variance after both passes, as `BatchNorm` would have it.
    for variance in of_batches:
        running = running.lerp(variance, MOMENTUM)
    return running.sqrt()


def _drawn(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Return a copy with weights from N(0, 1), zero biases, and normalization scales of 1."""
    drawn = copied(network)
    for module in drawn.modules():
        if isinstance(module, WeightLayer):
            module.weight.copy_(_normal(module.weight, generator))
        elif isinstance(module, _BatchNormalization | nn.GroupNorm) and module.affine:
            module.weight.fill_(1)
        else:
            continue
        if module.bias is not None:
            module.bias.fill_(0)
    return drawn


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator).to(like)
