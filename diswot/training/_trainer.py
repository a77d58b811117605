"""The loop of one training, and how it goes on after a stop."""

import copy
import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from diswot.errors import DivergedError
from diswot.losses import Objective
from diswot.networks import ActivationReader, backward_of
from diswot.seeding import seed_for
from diswot.tasks import Measure, SplitName
from diswot.tasks.images import ImageData
from diswot.training._acceleration import shared
from diswot.training._batches import Batches
from diswot.training._checkpoint import CHECKPOINT, Standing, load_checkpoint, save_checkpoint
from diswot.training._evaluation import measured
from diswot.training._files import TrainingFiles
from diswot.training._identity import identity
from diswot.training._lesson import (
    Lesson,
    Remembered,
    Shown,
    Teaching,
    live_teacher,
    no_teacher,
    remembered_teacher,
)
from diswot.training._meter import Meter
from diswot.training._metrics import Epoch, TensorBoard
from diswot.training._optimisation import moving_average, optimiser_of, snapshot
from diswot.training._recipe import Recipe
from diswot.training._trained import Training

if TYPE_CHECKING:
    from accelerate import Accelerator

SETTLED = 8
"""Steps after which losses are looked at, so that a GPU need not wait for each of them."""

EXAMPLES = 4
"""Images that a criterion sees when it is built."""

TOTAL = "total"


class Trainer:
    """One training, from the start or from its checkpoint.

    Args:
        network: what to train.
        data: what to train it on.
        objective: the loss.
        recipe: how to train.
        teacher: whom to learn from.
        accelerator: device, precision and processes.
        folder: where files go.
        meter: tells progress.
    """

    def __init__(
        self,
        network: nn.Module,
        data: ImageData,
        objective: Objective,
        recipe: Recipe,
        teacher: nn.Module | None,
        accelerator: "Accelerator",
        folder: Path | None,
        meter: Meter,
    ) -> None:
        self._network, self._data, self._recipe = network, data, recipe
        self._accelerator, self._meter = accelerator, meter
        self._loss, self._folder = objective.text, folder
        place = accelerator.device  # "cpu:0" of several processes, which torch takes for another
        self._device = "cpu" if place.type == "cpu" else str(place)
        self._batches = Batches(
            data,
            recipe,
            self._device,
            process=accelerator.process_index,
            processes=accelerator.num_processes,
        )
        self._steps = self._batches.steps
        self._of = identity(network, data, objective, recipe, teacher)
        network.to(self._device)
        if teacher is not None:
            teacher.to(self._device).eval()
        self._criterion = objective.build(
            network,
            teacher,
            data.normalise(data.train.images[:EXAMPLES].to(self._device)),
            num_classes=data.num_classes,
            train_images=len(data.train),
            seed=recipe.seed,
        ).to(self._device)
        self.standing, parts = self._resumed()
        self._ema = None if recipe.ema is None else moving_average(network, recipe.ema)
        student = ActivationReader(
            network, watches=self._criterion.student_watches, who="the student"
        )
        self._readers = [student]
        teach = self._teaching(teacher, begun=bool(parts))
        lesson = Lesson(network, self._criterion, student, teach)
        trained = [p for p in lesson.parameters() if p.requires_grad]
        unused = accelerator.num_processes > 1 and self._leaves_unused(lesson, trained)
        self._lesson = shared(lesson, accelerator, unused=unused)
        self._optimiser = accelerator.prepare(optimiser_of(trained, recipe))
        self._parts = {
            "network": network,
            "criterion": self._criterion,
            "optimiser": self._optimiser,
        }
        if self._ema is not None:
            self._parts["ema"] = self._ema
        if accelerator.scaler is not None:
            self._parts["scaler"] = accelerator.scaler
        for name, state in parts.items():
            self._parts[name].load_state_dict(state)
        self._unsettled: list[Tensor] = []
        self._names: list[str] = []
        self.events: TensorBoard | None = None

    def run(self, checkpoint_seconds: float) -> Training:
        """Train to the end."""
        standing, recipe = self.standing, self._recipe
        self._started = time.perf_counter() - standing.seconds
        self._due = time.perf_counter() + checkpoint_seconds
        self._meter.begin(standing.epoch * self._steps + standing.step, recipe.epochs * self._steps)
        while standing.epoch < recipe.epochs:
            with self._reading():
                examples_per_second = self._train_epoch(checkpoint_seconds)
            self._judge_epoch(examples_per_second)
            self._save_checkpoint()
        self._write_files(snapshot(self._judged))  # of a resumed training they can be damaged
        self._network.load_state_dict(standing.best)
        return Training(
            self._loss,
            tuple(standing.history),
            standing.best_epoch,
            cast(Measure, standing.best_val),
            self._measured(self._network, "test"),
            standing.seconds,
        )

    def _train_epoch(self, checkpoint_seconds: float) -> float:
        """Do the steps of the epoch that are left; return examples per second."""
        standing = self.standing
        began, first = time.perf_counter(), standing.step
        self._lesson.train()
        order = self._batches.order(standing.epoch)
        for step in range(first, self._steps):
            self._step(standing.epoch, step, order[step])
            standing.step = step + 1
            self._meter.tick()
            if standing.step % SETTLED == 0 or standing.step == self._steps:
                self._settle()
                if time.perf_counter() >= self._due and standing.step < self._steps:
                    self._save_checkpoint()
                    self._due = time.perf_counter() + checkpoint_seconds
        seconds = time.perf_counter() - began
        return (self._steps - first) * self._batches.size / max(seconds, 1e-9)

    def _step(self, epoch: int, step: int, shares: Tensor) -> None:
        """Change the weights once, by the gradient of one batch."""
        position = epoch + (step + 0.5) / self._steps
        rate, progress = self._recipe.rate(position), position / self._recipe.epochs
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        parts, process = len(shares), self._accelerator.process_index
        losses = []
        for part, share in enumerate(shares):
            torch.manual_seed(seed_for(self._recipe.seed, "step", epoch, step, part, process))
            last = part == parts - 1
            with nullcontext() if last else self._accelerator.no_sync(self._lesson):
                total, terms = self._lesson(self._batches.take(share), progress)
                with backward_of("the student"):
                    self._accelerator.backward(total / parts)
            losses.append(
                torch.stack([total.detach().float(), *(t.float() for t in terms.values())])
            )
        if self._recipe.max_grad_norm is not None:
            self._accelerator.clip_grad_norm_(self._lesson.parameters(), self._recipe.max_grad_norm)
        self._optimiser.step()
        self._optimiser.zero_grad()
        if self._ema is not None:
            self._ema.update_parameters(self._network)
        self._names = [TOTAL, *terms]
        self._unsettled.append(torch.stack(losses).mean(dim=0))

    def _settle(self) -> None:
        """Add up the losses of the last steps.

        Raises:
            DivergedError: one of them is not finite.
        """
        losses = self._accelerator.reduce(torch.stack(self._unsettled), "mean").double().tolist()
        self._unsettled.clear()
        for offset, row in enumerate(losses, start=self.standing.step - len(losses) + 1):
            for name, value in (*zip(self._names[1:], row[1:], strict=True), (TOTAL, row[0])):
                if not math.isfinite(value):
                    raise DivergedError(self._not_finite(name, value, offset))
                self.standing.sums[name] = self.standing.sums.get(name, 0.0) + value

    def _not_finite(self, term: str, value: float, step: int) -> str:
        kept = self._folder is not None and (self._folder / CHECKPOINT).exists()
        return (
            f"the term {term} of the loss {self._loss} is {value} in epoch "
            f"{self.standing.epoch + 1}, step {step}"
            + (f" ({self._folder} keeps the last good checkpoint)" if kept else "")
            + ": lower the learning rate, or cut the gradient (--clip)"
        )

    def _judge_epoch(self, examples_per_second: float) -> None:
        """Close an epoch: measure it, and keep its weights if they are the best."""
        standing, judged = self.standing, self._judged
        val = self._measured(judged, "val")
        means = {name: total / self._steps for name, total in standing.sums.items()}
        position = standing.epoch + (self._steps - 0.5) / self._steps
        standing.seconds = time.perf_counter() - self._started
        standing.epoch, standing.step, standing.sums = standing.epoch + 1, 0, {}
        epoch = Epoch(
            standing.epoch,
            self._recipe.rate(position),
            means.pop(TOTAL),
            val.value,
            examples_per_second,
            standing.seconds,
            val.name,
            means,
        )
        standing.history.append(epoch)
        state = snapshot(judged)
        if standing.best_val is None or val.at_least_as_good_as(standing.best_val):
            standing.best_val, standing.best_epoch = val, standing.epoch
            standing.best = state
        self._write_files(state)
        if self.events is not None:
            self.events.write(epoch)
        self._meter.note(f"epoch {standing.epoch}/{self._recipe.epochs}, val {val.brief}")

    @property
    def _judged(self) -> nn.Module:
        """The network whose weights count: the moving average, where there is one."""
        return self._network if self._ema is None else self._ema.module

    def _measured(self, network: nn.Module, split: SplitName) -> Measure:
        return measured(network, self._data, split, self._accelerator, device=self._device)

    def _leaves_unused(self, lesson: Lesson, trained: list[nn.Parameter]) -> bool:
        """Tell whether the loss leaves parameters without gradient; nothing is changed."""
        before = copy.deepcopy(lesson.state_dict())
        places = torch.arange(min(EXAMPLES, len(self._data.train)))
        with self._reading():
            total, _ = lesson(self._batches.take(places), 1.0)
        gradients = torch.autograd.grad(total, trained, allow_unused=True)
        lesson.load_state_dict(before)
        return any(gradient is None for gradient in gradients)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Let the readers see the networks; while they are judged nothing is kept of them."""
        with ExitStack() as open_readers:
            for reader in self._readers:
                open_readers.enter_context(reader)
            yield

    def _resumed(self) -> tuple[Standing, dict[str, Any]]:
        found = load_checkpoint(self._folder, of=self._of) if self._folder is not None else None
        if found is None:
            return Standing(), {}
        self._meter.tell(f"goes on after epoch {found[0].epoch}, step {found[0].step}")
        return found

    def _save_checkpoint(self) -> None:
        self.standing.seconds = time.perf_counter() - self._started
        if self._folder is not None and self._accelerator.is_main_process:
            parts = {name: part.state_dict() for name, part in self._parts.items()}
            save_checkpoint(self._folder, self.standing, of=self._of, parts=parts)

    def _write_files(self, last: dict[str, Tensor]) -> None:
        folder = self._folder if self._accelerator.is_main_process else None
        TrainingFiles(folder).write(last, self.standing.best, self.standing.history)

    def _teaching(self, teacher: nn.Module | None, *, begun: bool) -> Teaching:
        """Return what shows the teacher's side, after terms that learn from it alone did so."""
        if teacher is None:
            return no_teacher
        watches = self._criterion.teacher_watches
        reader = ActivationReader(teacher, watches=watches, who="the teacher")
        with reader as read:
            if self._criterion.needs_preparation and not begun:
                seed = seed_for(self._recipe.seed, "preparation")
                self._criterion.prepare(
                    Shown(read, self._data, self._recipe.batch_size, self._device, seed=seed)
                )
            if self._recipe.augment == "none" and not (self._recipe.mixup or self._recipe.cutmix):
                found = remembered_teacher(read, self._data, self._device)
                if isinstance(found, Remembered):
                    self._meter.tell(
                        f"the teacher's outputs of {len(self._data.train):,} images are kept in "
                        f"memory ({found.megabytes:,.1f} MB): they are the same in every epoch"
                    )
                    return found.teach
                self._meter.tell(f"the teacher's outputs ({found:,.0f} MB) are too large to keep")
        self._readers.append(reader)
        return live_teacher(reader)
