"""Training one network: a recipe, a loop, and what came of it."""

import csv
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save
from scipy.stats import binomtest
from torch import Tensor, nn

from diswot.activations import ActivationReader
from diswot.data import ImageData, Split, batches
from diswot.distillation._augmentation import augmentation
from diswot.distillation._objectives import Objective
from diswot.errors import OptionError, RunError
from diswot.progress import Progress, Step, silent
from diswot.run_folder import replace_file
from diswot.seeding import seed_for, torch_seed

METRICS = "metrics.csv"


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Source: the recipe of the DisWOT paper's CIFAR-100 tables (240 epochs, learning rate
    ×0.1 at 150, 180 and 210), its milestones scaled to the epochs asked for.

    Raises:
        OptionError: epochs or batch size below 1.
    """

    epochs: int
    batch_size: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    milestones: tuple[float, ...] = (150 / 240, 180 / 240, 210 / 240)
    decay: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise OptionError(
                "Expected epochs and batch size of at least 1, "
                f"but got {self.epochs} and {self.batch_size}"
            )

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        passed = sum(epoch >= fraction * self.epochs for fraction in self.milestones)
        return self.learning_rate * self.decay**passed


@dataclass(frozen=True)
class Accuracy:
    """Right answers of `total`, with the 95 % Wilson interval of the rate.

    Examples:
        >>> Accuracy(90, 100)
        Accuracy(correct=90, total=100)
        >>> str(Accuracy(90, 100))
        '90.0 % [82.6, 94.5]'
    """

    correct: int
    total: int

    @property
    def rate(self) -> float:
        """Right answers over all answers."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval; it covers the choice of test images, not of the seed."""
        found = binomtest(self.correct, self.total).proportion_ci(method="wilson")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.rate:.1%} [{low:.1%}, {high:.1%}]".replace("%", "").replace(" [", " % [")


@dataclass(frozen=True)
class Epoch:
    """One line of `metrics.csv`."""

    epoch: int
    learning_rate: float
    train_loss: float
    val_accuracy: float
    seconds: float


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Attributes:
        objective: name of the loss.
        history: one record per epoch.
        best_epoch: the epoch whose weights were kept, the last of those with the
            highest accuracy on the validation split.
        val: accuracy on the validation split at that epoch; it was chosen for it.
        test: accuracy on the test split, on which nothing was chosen.
        seconds: how long it took.
    """

    objective: str
    history: tuple[Epoch, ...]
    best_epoch: int
    val: Accuracy
    test: Accuracy
    seconds: float


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
) -> Training:
    """Train `network` in place; it ends with the weights of its best epoch.

    Args:
        network: what to train.
        data: trained on `train`, chosen on `val`, judged on `test`.
        objective: the loss.
        recipe: optimiser and schedule.
        teacher: read in evaluation mode, never changed; where the objective needs one.
        folder: where `best.safetensors`, `last.safetensors` and `metrics.csv` go.
        device: where to compute.
        progress: told of every step.

    Raises:
        OptionError: the objective needs a teacher and got none.
        RunError: the loss is not finite.
    """
    if objective.needs_teacher and teacher is None:
        raise OptionError(f"the loss {objective.name} needs a teacher, but got none: name one")
    started = time.perf_counter()
    network.to(device)
    history: list[Epoch] = []
    best, best_state = Accuracy(-1, len(data.val)), _snapshot(network)
    meter = _Meter(objective.name, recipe.epochs * steps_per_epoch(data, recipe), progress)
    with torch_seed(seed_for(recipe.seed, "training")):
        for epoch in _epochs(network, data, objective, recipe, teacher, device, meter):
            val = evaluate(network, data, data.val, device=device)
            history.append(Epoch(*epoch, val.rate, time.perf_counter() - started))
            if val.correct >= best.correct:
                best, best_epoch, best_state = val, len(history), _snapshot(network)
                _save(best_state, folder, "best")
            _save(_snapshot(network), folder, "last")
            _write_metrics(history, folder)
            meter.note(f"epoch {len(history)}/{recipe.epochs}, val {val.rate:.1%}")
    network.load_state_dict(best_state)
    test = evaluate(network, data, data.test, device=device)
    seconds = time.perf_counter() - started
    return Training(objective.name, tuple(history), best_epoch, best, test, seconds)


def _epochs(
    network: nn.Module,
    data: ImageData,
    objective: Objective,
    recipe: Recipe,
    teacher: nn.Module | None,
    device: str,
    meter: "_Meter",
) -> Iterator[tuple[int, float, float]]:
    """Train epoch by epoch; yield number, learning rate and mean loss of each."""
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )
    order = torch.Generator().manual_seed(seed_for(recipe.seed, "order"))
    augment = augmentation(data)
    with ExitStack() as hooks:
        student_reader = hooks.enter_context(ActivationReader(network))
        teacher_reader = None
        if objective.needs_teacher and teacher is not None:
            teacher_reader = hooks.enter_context(ActivationReader(teacher.to(device).eval()))
        for epoch in range(recipe.epochs):
            network.train()
            optimiser.param_groups[0]["lr"] = recipe.rate(epoch)
            losses = []
            for batch in batches(data.train, recipe.batch_size, order, drop_last=True):
                images = data.normalise(augment(batch.images.to(device).float()))
                student = student_reader(images)
                reference = student
                if teacher_reader is not None:
                    with torch.no_grad():
                        reference = teacher_reader(images)
                loss = objective.compute(student, reference, batch.labels.to(device))
                losses.append(_finite(loss, objective, epoch))
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                meter.tick()
            yield epoch + 1, recipe.rate(epoch), sum(losses) / len(losses)


@torch.inference_mode()
def evaluate(network: nn.Module, data: ImageData, split: Split, *, device: str = "cpu") -> Accuracy:
    """Return the accuracy of `network` on a split, in evaluation mode."""
    network.to(device).eval()
    correct = 0
    with ActivationReader(network) as read:
        for batch in batches(split, 250):
            logits = read(data.normalise(batch.images.to(device))).logits
            correct += int((logits.argmax(1).cpu() == batch.labels).sum())
    return Accuracy(correct, len(split))


def steps_per_epoch(data: ImageData, recipe: Recipe) -> int:
    """Return how many batches an epoch has; a last one that is not full is left out."""
    return max(1, len(data.train) // recipe.batch_size)


class _Meter:
    """Tells progress of steps, so that the time left is known before the first epoch ends."""

    def __init__(self, stage: str, total: int, progress: Progress) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done, self._note = 0, ""

    def tick(self) -> None:
        self._done += 1
        if self._done < self._total:  # the last one is told with the last epoch's accuracy
            self._progress(Step(self._stage, self._done, self._total, self._note))

    def note(self, text: str) -> None:
        self._note = text
        self._progress(Step(self._stage, self._done, self._total, text))


def _finite(loss: Tensor, objective: Objective, epoch: int) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise RunError(
            f"the loss {objective.name} is {value} in epoch {epoch + 1}: "
            "the checkpoints of the epochs before are kept; lower the learning rate"
        )
    return value


def _snapshot(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}


def _save(state: dict[str, Tensor], folder: Path | None, name: str) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / f"{name}.safetensors", lambda path: path.write_bytes(save(state)))


def _write_metrics(history: list[Epoch], folder: Path | None) -> None:
    if folder is not None:
        with (folder / METRICS).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(vars(history[0])))
            writer.writeheader()
            writer.writerows(vars(epoch) for epoch in history)
