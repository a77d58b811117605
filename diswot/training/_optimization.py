"""Optimizers and moving averages (EMA) of weights."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from diswot.networks.copies import copied
from diswot.training._recipe import Recipe


def optimizer_of(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe: SGD with momentum, or AdamW."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    return torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=decay)


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average (EMA) of a network's weights and buffers.

    After n steps, the decay is at most (1 + n)/(10 + n), so that the initial weights do not
    dominate short trainings.

    Args:
        network: the network that is averaged.
        decay: decay per step, such as 0.999.
    """

    def update(averages: Any, values: Any, steps: Any) -> None:
        grown = min(decay, (1 + int(steps)) / (10 + int(steps)))
        get_ema_multi_avg_fn(grown)(averages, values, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(copied(network), multi_avg_fn=update, use_buffers=True)


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a network's state dict on the CPU."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }
