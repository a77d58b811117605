"""Training one network, by any method."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypedDict, Unpack

from torch import nn

from diswot.losses import Objective
from diswot.progress import Progress, silent
from diswot.seeding import seed_for, torch_seed
from diswot.tasks import Dataset
from diswot.training._acceleration import accelerated
from diswot.training._distillation_method import DistillationMethod
from diswot.training._meter import Meter
from diswot.training._method import Method
from diswot.training._metrics import TensorBoard, check_tensorboard
from diswot.training._plan import plan, prepare
from diswot.training._recipe import Recipe
from diswot.training._trained import Training
from diswot.training._trainer import run

CHECKPOINT_MINUTES = 5.0
"""Between checkpoints within an epoch."""


class Running(TypedDict, total=False):
    """Where a training computes, what it writes and whom it reports to; see `train_by`."""

    folder: Path | None
    device: str
    progress: Progress
    stage: str | None
    tensorboard: bool
    checkpoint_minutes: float


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
        network: what to train.
        data: trained on `train`, selected on `val`, evaluated on `test`.
        objective: the loss.
        recipe: optimizer and schedule.
        teachers: by name, read in evaluation mode, never changed; where the loss needs one.
            Losses that read one teacher read the first.
        **running: device, folder, progress and name of the training, as of `train_by`; by default
            the training has the name of its loss.

    Raises:
        OptionError: the loss reads what the task does not give, or needs a teacher and got
            none; see also `train_by`.
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
    tensorboard: bool = False,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
) -> Training:
    """Train the student of a method; it ends with the weights of its best epoch.

    A training that was stopped resumes from the checkpoint in its folder. Since order and
    random numbers of every step follow from the seed, the epoch and the step alone, it
    ends, on a CPU, with the very weights of one that was never stopped.

    In several processes (`torchrun`, `accelerate launch`) each takes its share of every
    batch, and the first writes and reports progress.

    Args:
        method: the student, and how it learns.
        data: trained on `train`, selected on `val`, evaluated on `test`.
        recipe: optimizer and schedule of players that have none of their own.
        folder: where `best.safetensors`, `last.safetensors`, `metrics.csv` and
            `checkpoint.pt` go.
        device: where to compute.
        progress: receives every step.
        stage: what the training is called there; by default as the method.
        tensorboard: whether to write TensorBoard events into the folder.
        checkpoint_minutes: between checkpoints within an epoch.

    Raises:
        OptionError: a player has nothing to train, the batch cannot be shared, or the device
            has no such precision.
        RunFolderError: the checkpoint is damaged, or of another training.
        RunError: a loss is not finite.
    """
    if tensorboard:
        check_tensorboard()
    with (
        accelerated(recipe, device) as accelerator,
        torch_seed(seed_for(recipe.seed, "training")),
        ExitStack() as closing,
    ):
        first = accelerator.is_main_process
        meter = Meter(stage or method.name, progress if first else silent)
        work = prepare(plan(method, data, recipe, accelerator, folder=folder, meter=meter))
        events = None
        if tensorboard and folder is not None and first:
            events = TensorBoard(folder, known=len(work.state.history))
            closing.callback(events.close)
        return run(work, checkpoint_seconds=60 * checkpoint_minutes, events=events)
