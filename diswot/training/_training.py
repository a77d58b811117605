"""Training one network."""

from contextlib import ExitStack
from pathlib import Path

from torch import nn

from diswot.losses import Objective, needs_a_teacher
from diswot.progress import Progress, silent
from diswot.seeding import seed_for, torch_seed
from diswot.tasks.images import ImageData
from diswot.training._acceleration import accelerated
from diswot.training._meter import Meter
from diswot.training._metrics import TensorBoard, check_tensorboard
from diswot.training._recipe import Recipe
from diswot.training._trained import Training
from diswot.training._trainer import Trainer

CHECKPOINT_MINUTES = 5.0
"""Between checkpoints within an epoch."""


def train(
    network: nn.Module,
    data: ImageData,
    *,
    objective: Objective,
    recipe: Recipe,
    teacher: nn.Module | None = None,
    folder: Path | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    stage: str | None = None,
    tensorboard: bool = False,
    checkpoint_minutes: float = CHECKPOINT_MINUTES,
) -> Training:
    """Train `network` in place; it ends with the weights of its best epoch.

    A training that was stopped goes on from the checkpoint in its folder. Since order and
    random numbers of every step follow from the seed, the epoch and the step alone, it
    ends, on a CPU, with the very weights of one that was never stopped.

    In several processes (`torchrun`, `accelerate launch`) each takes its share of every
    batch, and the first writes and tells progress.

    Args:
        network: what to train.
        data: trained on `train`, chosen on `val`, judged on `test`.
        objective: the loss.
        recipe: optimiser and schedule.
        teacher: read in evaluation mode, never changed; where the objective needs one.
        folder: where `best.safetensors`, `last.safetensors`, `metrics.csv` and
            `checkpoint.pt` go.
        device: where to compute.
        progress: told of every step.
        stage: what the training is called there; by default as its loss.
        tensorboard: whether to write TensorBoard events into the folder.
        checkpoint_minutes: between checkpoints within an epoch.

    Raises:
        OptionError: the objective needs a teacher and got none, the batch cannot be
            shared, or the device has no such precision.
        RunFolderError: the checkpoint is damaged, or of another training.
        RunError: the loss is not finite.
    """
    if objective.needs_teacher and teacher is None:
        raise needs_a_teacher(objective.text)
    if tensorboard:
        check_tensorboard()
    with (
        accelerated(recipe, device) as accelerator,
        torch_seed(seed_for(recipe.seed, "training")),
        ExitStack() as closing,
    ):
        trainer = Trainer(
            network,
            data,
            objective,
            recipe,
            teacher if objective.needs_teacher else None,
            accelerator,
            folder,
            Meter(stage or objective.text, progress if accelerator.is_main_process else silent),
        )
        if tensorboard and folder is not None and accelerator.is_main_process:
            events = TensorBoard(folder, known=len(trainer.standing.history))
            closing.callback(events.close)
            trainer.events = events
        return trainer.run(60 * checkpoint_minutes)
