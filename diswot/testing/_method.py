"""The contract of training methods."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from diswot.errors import OptionError
from diswot.losses import Losses
from diswot.progress import Step
from diswot.seeding import torch_seed
from diswot.tasks import Dataset
from diswot.testing._networks import require
from diswot.training import Method, PlainBatches, Player, Recipe, checked_players, train_by

STEPS = 12
"""Steps per epoch; the first checkpoint within an epoch is after 8."""


class _StoppedError(Exception):
    """Raised to stop a training."""


def check_method(make: Callable[[], Method], data: Dataset) -> None:
    """Check the contract of a training method, with short trainings.

    Players do not share parameters; the loss of each is a finite scalar whose gradient reaches
    them; teachers do not change and get no gradient; and a training that is stopped within an
    epoch and resumed ends with the same state as an uninterrupted one.

    Args:
        make: returns the method; the networks must have the same weights in each call.
        data: a small dataset with at least 12 training examples.

    Raises:
        AssertionError: a rule is broken; the message names it.

    Examples:
        >>> from dataclasses import replace
        >>> from diswot.losses import parse_objective
        >>> from diswot.tasks.images import load_data
        >>> from diswot.training import DistillationMethod
        >>> digits = load_data("digits")
        >>> few = replace(digits, train=digits.train.take(torch.arange(48)))
        >>> def make():
        ...     torch.manual_seed(0)
        ...     return DistillationMethod(
        ...         nn.Sequential(nn.Flatten(), nn.Linear(256, 10)), parse_objective("ce"))
        >>> check_method(make, few)
    """
    size = make().examples_per_epoch(data)
    require(size >= STEPS, f"at least {STEPS} training examples, but there are {size}")
    recipe = Recipe(epochs=2, batch_size=size // STEPS)
    # 1. One batch: losses are finite scalars, and gradients reach the right parameters.
    _check_losses(make(), data, recipe)
    # 2. A whole training does not change the teachers.
    whole = make()
    teachers = {name: _state(teacher) for name, teacher in whole.teachers.items()}
    train_by(whole, data, recipe=recipe)
    for name, teacher in whole.teachers.items():
        differ = _differing(teachers[name], _state(teacher))
        require(not differ, f"the teacher {name} is not changed, but {differ} of it are")
    # 3. A training that is stopped after its first checkpoint ends with equal parameters.
    with TemporaryDirectory() as folder:
        resumed = _stopped_and_resumed(make, data, recipe, Path(folder))
    differ = _differing(_state(whole), _state(resumed))
    require(not differ, f"a stopped training resumes to the same state, but {differ} differ")


def _check_losses(method: Method, data: Dataset, recipe: Recipe) -> None:
    with torch_seed(0):
        method.setup(data, "cpu")
        take, size = method.batches(data, recipe), recipe.batch_size
        plain = partial(method.batches, data, Recipe(1, augment="none"))
        examples = method.examples_per_epoch(data)
        method.prepare(PlainBatches(examples, plain, size, 0, take.teachers_fixed, lambda _: None))
        players = _players(method, examples // size)
        batch = take(torch.arange(recipe.batch_size))
        with method.train().watching():
            for name, player in players.items():
                method.zero_grad()
                _check_loss(method.losses(name, batch, 0.5), name, player)
    for name, teacher in method.teachers.items():
        untouched = all(parameter.grad is None for parameter in teacher.parameters())
        require(untouched, f"no gradient reaches the teacher {name}")


def _players(method: Method, steps: int) -> Mapping[str, Player]:
    try:
        players = checked_players(method, steps)
    except OptionError as error:
        raise AssertionError(str(error)) from error
    for (one, ours), (other, theirs) in combinations(players.items(), 2):
        shared = {id(parameter) for parameter in ours.parameters} & {
            id(parameter) for parameter in theirs.parameters
        }
        require(
            not shared,
            f"each player has parameters of its own, but {one} and {other} share {len(shared)}",
        )
    return players


def _check_loss(losses: Losses, name: str, player: Player) -> None:
    total = losses.total
    require(
        total.ndim == 0 and bool(total.isfinite()),
        f"the loss of {name} is one finite number, but is {total.tolist()}",
    )
    require(total.requires_grad, f"the loss of {name} has a gradient")
    total.backward()  # type: ignore[no-untyped-call]
    reached = any(
        parameter.grad is not None and bool(parameter.grad.any()) for parameter in player.parameters
    )
    require(reached, f"the gradient of the loss of {name} reaches its parameters")


def _stopped_and_resumed(
    make: Callable[[], Method], data: Dataset, recipe: Recipe, folder: Path
) -> Method:
    def stop(_step: Step) -> None:
        if (folder / "checkpoint.pt").exists():
            raise _StoppedError

    # With checkpoint_minutes=0 a checkpoint is written as soon as possible.
    with suppress(_StoppedError):
        train_by(make(), data, recipe=recipe, folder=folder, progress=stop, checkpoint_minutes=0)
        require(False, "a training writes a checkpoint within its first epoch")
    resumed = make()
    train_by(resumed, data, recipe=recipe, folder=folder)
    return resumed


def _state(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _differing(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the first few tensors that differ."""
    names = [name for name in one if not torch.equal(one[name], other[name])]
    return names[:3]
