"""Train one network by any method."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, Unpack

from torch import nn

from diswot.losses import Objective
from diswot.progress import Progress, silent
from diswot.seeding import seed_for, torch_seed
from diswot.tasks import Dataset
from diswot.training._acceleration import accelerated, faster
from diswot.training._distillation_method import DistillationMethod
from diswot.training._meter import Meter
from diswot.training._method import Method
from diswot.training._plan import plan, prepare
from diswot.training._recipe import Recipe
from diswot.training._trainer import Stop, run
from diswot.training._training_result import Training

CHECKPOINT_MINUTES = 5.0
"""Default time between checkpoints within an epoch, in minutes."""


class Running(TypedDict, total=False):
    """Keyword arguments of `train_by` that say where a training runs, writes and reports."""

    folder: Path | None
    device: str
    progress: Progress
    stage: str | None
    checkpoint_minutes: float
    stop: Stop | None


def train(
    network: nn.Module,
    data: Dataset,
    *,
    objective: Objective,
    recipe: Recipe,
    teachers: Mapping[str, nn.Module] | None = None,
    **running: Unpack[Running],
) -> Training:
    """Train `network` in place by one loss; it ends with the weights of its best epoch.

    Args:
        network: the network to train.
        data: the dataset; the best epoch is selected on `val` and evaluated on `test`.
        objective: the parsed loss.
        recipe: optimizer, schedule, augmentation, …
        teachers: networks to distill from, by name; they run in evaluation mode and do not
            change. Losses for a single teacher use the first.
        **running: device, folder, progress and name of the training, see `train_by`.

    Raises:
        OptionError: the task does not provide what the loss reads, the loss needs a teacher
            and there is none, or the batch cannot be divided by the processes.
        RunFolderError: the checkpoint is damaged, or of another training.
        RunError: the loss is not finite.
    """
    objective.check_reads(data.task.reads, task=data.task.name)
    method = DistillationMethod(network, objective, teachers=teachers, seed=recipe.seed)
    return train_by(method, data, recipe=recipe, **running)


def train_by(
    method: Method,
    data: Dataset,
    *,
    recipe: Recipe,
    folder: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    stage: str | None = None,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
    stop: Stop | None = None,
) -> Training:
    """Train the student of a method; it ends with the weights of its best epoch.

    A stopped training resumes from the checkpoint in its folder. Because order and random
    numbers of every step depend only on the seed, the epoch and the step, on a CPU it ends
    with exactly the weights of an uninterrupted training.

    With several processes (`torchrun`, `accelerate launch`), each computes its share of every
    batch, and rank 0 writes files and reports progress.

    Args:
        method: student, losses and players.
        data: the dataset; the best epoch is selected on `val` and evaluated on `test`.
        recipe: recipe of the training, and of players without their own.
        folder: where `best.safetensors`, `last.safetensors`, `metrics.csv` and
            `checkpoint.pt` are written; by default nowhere.
        device: torch device.
        progress: receives every step.
        stage: name of the training in reports; by default the method's.
        checkpoint_minutes: time between checkpoints within an epoch.
        stop: asked after every epoch whether to end early; by default never.

    Returns:
        History and measures of the training.

    Raises:
        OptionError: a player has nothing to train, the batch cannot be divided by the
            processes, or the device does not support the precision.
        RunFolderError: the checkpoint is damaged, or of another training.
        RunError: a loss is not finite.
    """
    with (
        accelerated(recipe, device) as accelerator,
        torch_seed(seed_for(recipe.seed, "training")),
    ):
        reported = progress if accelerator.is_main_process else silent
        meter = Meter(stage or method.name, reported)
        read = method.reading(data)
        planned = plan(method, read, recipe, accelerator, folder=folder, meter=meter)
        with faster([method.student, *method.teachers.values()], recipe, planned.device):
            work = prepare(planned)
            return run(work, checkpoint_seconds=60 * checkpoint_minutes, stop=stop)
