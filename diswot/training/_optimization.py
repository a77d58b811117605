"""What changes the weights: an optimizer, and a moving average."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from diswot.networks.copies import copied
from diswot.training._recipe import Recipe


def optimizer_of(parameters: list[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer of a recipe."""
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    return torch.optim.SGD(parameters, lr=rate, momentum=recipe.momentum, weight_decay=decay)


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return a moving average of weights and statistics, whose decay grows at the start.

    After n steps it is at most (1 + n)/(10 + n), so that short trainings do not keep their
    first weights.
    """

    def update(averages: Any, values: Any, steps: Any) -> None:
        grown = min(decay, (1 + int(steps)) / (10 + int(steps)))
        get_ema_multi_avg_fn(grown)(averages, values, steps)  # type: ignore[no-untyped-call]

    return AveragedModel(copied(network), multi_avg_fn=update, use_buffers=True)


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights in main memory."""
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
