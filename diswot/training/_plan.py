"""Set up a training: plan it, then load its checkpoint and create its optimizers."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from diswot.seeding import seed_for
from diswot.tasks import Dataset
from diswot.training._acceleration import shared
from diswot.training._balance import balance_of
from diswot.training._batches import Batches
from diswot.training._checkpoint import TrainerState, load_checkpoint
from diswot.training._fingerprint import fingerprint
from diswot.training._meter import Meter
from diswot.training._method import Method, Player, called, checked_players
from diswot.training._optimization import moving_average, optimizer_of
from diswot.training._plain_batches import PlainBatches
from diswot.training._recipe import Recipe

if TYPE_CHECKING:
    from accelerate import Accelerator

EXAMPLES = 4
"""Batch size of the forward pass that finds parameters without gradient."""


@dataclass(frozen=True)
class Plan:
    """The parts of a training, before anything is moved, loaded or computed.

    Attributes:
        method: student, losses and players.
        data: the dataset for training, selection and evaluation.
        recipe: optimizer, schedule, augmentation, …
        accelerator: device, precision and processes.
        device: the accelerator's device.
        batches: batches of the training split.
        folder: where files are written; `None` writes nothing.
        meter: reports progress.
        fingerprint: must agree with that of a checkpoint.
    """

    method: Method
    data: Dataset
    recipe: Recipe
    accelerator: "Accelerator"
    device: str
    batches: Batches
    folder: Path | None
    meter: Meter
    fingerprint: Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A training that is ready to run.

    Attributes:
        plan: the parts of the training.
        state: progress so far; zero unless it is resumed.
        module: the method, wrapped in DistributedDataParallel if there are several processes.
        players: the players in the order of their turns.
        recipes: the recipe of each player's optimizer.
        optimizers: the optimizer of each player.
        average: the moving average of the student's weights; `None` without EMA.
    """

    plan: Plan
    state: TrainerState
    module: nn.Module
    players: Mapping[str, Player]
    recipes: Mapping[str, Recipe]
    optimizers: Mapping[str, torch.optim.Optimizer]
    average: AveragedModel | None

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and saved: the moving average if there is one."""
        return self.plan.method.student if self.average is None else self.average.module

    @property
    def stateful(self) -> dict[str, Any]:
        """Everything whose state belongs into a checkpoint, by name."""
        result: dict[str, Any] = {"method": self.plan.method, "average": self.average}
        result |= {f"optimizer of {name}": item for name, item in self.optimizers.items()}
        result["scaler"] = self.plan.accelerator.scaler
        return {name: item for name, item in result.items() if item is not None}


def plan(
    method: Method,
    data: Dataset,
    recipe: Recipe,
    accelerator: "Accelerator",
    *,
    folder: Path | None,
    meter: Meter,
) -> Plan:
    """Plan a training.

    Args:
        method: student, losses and players.
        data: the dataset.
        recipe: optimizer, schedule, augmentation, …
        accelerator: device, precision and processes.
        folder: where files are written; `None` writes nothing.
        meter: reports progress.

    Raises:
        OptionError: the batch size cannot be divided by the number of processes.
    """
    place = accelerator.device  # with several processes "cpu:0", which torch treats as another
    device = "cpu" if place.type == "cpu" else str(place)
    examples = method.examples_per_epoch(data)
    batches = Batches(
        examples,
        method.batches(data, recipe, device=device),
        recipe,
        process=accelerator.process_index,
        processes=accelerator.num_processes,
        balance=balance_of(data, recipe, examples=examples),
    )
    mark = fingerprint(method.student, method.settings, data, recipe, views=batches.views)
    return Plan(method, data, recipe, accelerator, device, batches, folder, meter, mark)


def prepare(plan: Plan) -> Prepared:
    """Set up the method, load the checkpoint if there is one, and create the optimizers.

    Args:
        plan: the parts of the training.

    Raises:
        OptionError: a player cannot be trained.
        RunFolderError: the checkpoint is damaged, or of another training.
    """
    method, recipe, accelerator = plan.method, plan.recipe, plan.accelerator
    # The method is loaded first: the moving average and the caches start from its weights.
    method.setup(plan.data, plan.device)
    state, saved = _resumed(plan)
    if saved:
        method.load_state_dict(saved["method"])
    average = None if recipe.ema is None else moving_average(method.student, recipe.ema)
    for name, view in plan.batches.views.items():
        plan.meter.report(f"{called(name)} gets {view}")
    method.prepare(_plain_batches(plan))
    players = checked_players(method, plan.batches.steps)
    # DistributedDataParallel must know whether some parameters get no gradient.
    unused = accelerator.num_processes > 1 and _leaves_unused(plan, players)
    module = shared(method, accelerator, unused=unused)
    recipes = {
        name: replace(player.recipe or recipe, epochs=recipe.epochs)
        for name, player in players.items()
    }
    optimizers = {
        name: accelerator.prepare(optimizer_of(list(player.parameters), recipes[name]))
        for name, player in players.items()
    }
    result = Prepared(plan, state, module, players, recipes, optimizers, average)
    # Optimizers, moving average and gradient scaler continue from the checkpoint.
    for name, content in saved.items():
        result.stateful[name].load_state_dict(content)
    return result


def _resumed(plan: Plan) -> tuple[TrainerState, dict[str, Any]]:
    result = None
    if plan.folder is not None:
        result = load_checkpoint(plan.folder, of=plan.fingerprint)
    if result is None:
        return TrainerState(), {}
    plan.meter.report(f"resumes after epoch {result[0].epoch}, step {result[0].step}")
    return result


def _plain_batches(plan: Plan) -> PlainBatches:
    unchanged = Recipe(1, augment="none")
    return PlainBatches(
        plan.method.examples_per_epoch(plan.data),
        partial(plan.method.batches, plan.data, unchanged, device=plan.device),
        plan.recipe.batch_size,
        seed_for(plan.recipe.seed, "preparation"),
        plan.batches.teachers_fixed,
        plan.meter.report,
    )


def _leaves_unused(plan: Plan, players: Mapping[str, Player]) -> bool:
    """Return whether any loss leaves parameters without gradient; the state is restored."""
    method = plan.method
    before = copy.deepcopy(method.state_dict())
    trained = [parameter for parameter in method.parameters() if parameter.requires_grad]
    indices = torch.arange(min(EXAMPLES, method.examples_per_epoch(plan.data)))
    result = False
    with method.watching():
        for player in players:
            total, _ = method(player, plan.batches.take(indices), 1.0)
            gradients = torch.autograd.grad(total, trained, allow_unused=True)
            result |= any(gradient is None for gradient in gradients)
    method.load_state_dict(before)
    return result
