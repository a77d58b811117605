"""The training loop."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TypeAlias, cast

from torch import Tensor

from diswot.errors import DivergedError
from diswot.networks import backward_of
from diswot.tasks import Batch, Measure
from diswot.training._checkpoint import CHECKPOINT, TrainerState, save_checkpoint
from diswot.training._evaluation import measured, measured_classes
from diswot.training._files import TrainingFiles
from diswot.training._loss_log import TOTAL, LossLog
from diswot.training._method import STUDENT
from diswot.training._metrics import Epoch
from diswot.training._optimization import snapshot
from diswot.training._plan import Prepared
from diswot.training._training_result import Training

Stop: TypeAlias = Callable[[int, Measure], bool]
"""Whether to end a training early, asked after every epoch: the epochs that are done, and the best
measure on the validation split so far."""

SETTLED = 8
"""Number of steps after which losses are read from the device, to avoid synchronization."""


@dataclass
class Clock:
    """Measures training time without interruptions, and schedules checkpoints.

    Attributes:
        started: start time, shifted by the time in which the training was stopped.
        every: seconds between checkpoints within an epoch.
        due: time of the next checkpoint.
    """

    started: float
    every: float
    due: float

    @classmethod
    def of(cls, seconds: float, every: float) -> "Clock":
        """Start a clock.

        Args:
            seconds: training time before the interruption; 0 for a new training.
            every: seconds between checkpoints within an epoch.
        """
        now = time.perf_counter()
        return cls(now - seconds, every, now + every)

    @property
    def seconds(self) -> float:
        """Training time so far, in seconds."""
        return time.perf_counter() - self.started


def run(
    work: Prepared,
    *,
    checkpoint_seconds: float,
    stop: Stop | None = None,
) -> Training:
    """Train to the end, or until `stop`; the student ends with the weights of its best epoch.

    Args:
        work: the training, new or resumed.
        checkpoint_seconds: time between checkpoints within an epoch.
        stop: asked after every epoch whether to end early.

    Raises:
        DivergedError: the loss is not finite.
    """
    plan, state = work.plan, work.state
    clock, steps = Clock.of(state.seconds, checkpoint_seconds), plan.batches.steps
    plan.meter.begin(state.epoch * steps + state.step, plan.recipe.epochs * steps)
    while state.epoch < plan.recipe.epochs and not _stopped(state, stop):
        with plan.method.watching():
            examples_per_second = _train_epoch(work, clock)
        _end_epoch(work, clock, examples_per_second)
        _save(work, clock)
    _write_files(work, snapshot(work.evaluated))  # again: a kill may have damaged the files
    plan.method.student.load_state_dict(state.best)
    student, accelerator = plan.method.student, plan.accelerator
    test = measured_classes(student, plan.data, accelerator, device=plan.device)
    plan.meter.measured({f"test_{test[0].name}": test[0].value}, epoch=state.best_epoch)
    return Training(
        plan.method.name,
        tuple(state.history),
        state.best_epoch,
        cast(Measure, state.best_val),  # measured after the first epoch
        test[0],
        state.seconds,
        test[1],
        test[2],
    )


def _stopped(state: TrainerState, stop: Stop | None) -> bool:
    """Return whether a training is to end early, after at least one epoch."""
    return stop is not None and state.best_val is not None and stop(state.epoch, state.best_val)


def _train_epoch(work: Prepared, clock: Clock) -> float:
    """Run the remaining steps of the epoch; return examples per second."""
    state, batches = work.state, work.plan.batches
    began, first, log = time.perf_counter(), state.step, LossLog(work.plan.accelerator)
    if first == 0:
        work.plan.method.start_epoch(state.epoch, work.plan.recipe.epochs, batches.source)
    work.module.train()
    turns = (step for step in range(first, batches.steps) for _ in _players(work, step))
    with closing(batches.epoch(state.epoch, turns)) as drawn:
        for step in range(first, batches.steps):
            _step(work, step, drawn, log)
            state.step = step + 1
            work.plan.meter.tick()
            if state.step % SETTLED == 0 or state.step == batches.steps:
                _settle(work, log)
                if time.perf_counter() >= clock.due and state.step < batches.steps:
                    _save(work, clock)
                    clock.due = time.perf_counter() + clock.every
    seconds = time.perf_counter() - began
    return (batches.steps - first) * batches.size / max(seconds, 1e-9)


def _players(work: Prepared, step: int) -> list[str]:
    """Return the names of the players that are updated in a step, in order."""
    done = work.state.epoch * work.plan.batches.steps + step
    return [name for name, player in work.players.items() if done % player.every == 0]


def _step(work: Prepared, step: int, drawn: Iterator[Batch], log: LossLog) -> None:
    """Update every player whose turn it is once, then the moving average."""
    for name in _players(work, step):
        _turn(work, name, step, drawn, log)
    if work.average is not None:
        work.average.update_parameters(work.plan.method.student)


def _turn(work: Prepared, name: str, step: int, drawn: Iterator[Batch], log: LossLog) -> None:
    """Update the parameters of one player by the gradient of its loss on a batch.

    All players see the same examples with the same augmentation, because random numbers depend
    only on the seed, the epoch and the step.
    """
    plan, epoch, accelerator = work.plan, work.state.epoch, work.plan.accelerator
    player, optimizer, recipe = work.players[name], work.optimizers[name], plan.recipe
    position = epoch + (step + 0.5) / plan.batches.steps
    own = work.recipes[name]
    # The learning rate depends on the position in the whole schedule, by the step.
    for group in optimizer.param_groups:
        group["lr"] = own.rate(position)
    # Accumulate the gradient over the parts of a batch; synchronize processes on the last.
    parts, losses = plan.batches.parts, []
    for part in range(parts):
        last = part == parts - 1
        with nullcontext() if last else accelerator.no_sync(work.module):
            batch = next(drawn)
            total, terms = work.module(name, batch, position / recipe.epochs)
            with backward_of(f"the {name}"):
                accelerator.backward(total / parts)
        losses.append((total.detach(), terms))
    # Clip, step, and clear the gradients of all players.
    if own.max_grad_norm is not None:
        accelerator.clip_grad_norm_(player.parameters, own.max_grad_norm)
    optimizer.step()
    for item in work.optimizers.values():  # a loss can have gradients for other players too
        item.zero_grad()
    log.add(name, step + 1, losses)


def _settle(work: Prepared, log: LossLog) -> None:
    """Read the losses of the last steps from the device, and add them up.

    Raises:
        DivergedError: one of them is not finite.
    """
    result = log.settle(work.state.sums)
    if result is None:
        return
    folder = work.plan.folder
    saved = folder is not None and (folder / CHECKPOINT).exists()
    raise DivergedError(
        f"the term {_named(result.player, result.name)} of the loss {work.plan.method.name} is "
        f"{result.value} in epoch {work.state.epoch + 1}, step {result.step}"
        + (f" ({folder} keeps the last good checkpoint)" if saved else "")
        + ": lower the learning rate, or clip gradients (--max-grad-norm)"
    )


def _end_epoch(work: Prepared, clock: Clock, examples_per_second: float) -> None:
    """End an epoch: evaluate the student, and keep its weights if they are the best so far."""
    plan, state = work.plan, work.state
    val, _ = measured(work.evaluated, plan.data, "val", plan.accelerator, device=plan.device)
    means, steps = _means(work), plan.batches.steps
    position = state.epoch + (steps - 0.5) / steps
    state.seconds = clock.seconds
    state.epoch, state.step, state.sums = state.epoch + 1, 0, {}
    epoch = Epoch(
        state.epoch,
        work.recipes[STUDENT].rate(position),
        means.pop(TOTAL),
        val.value,
        examples_per_second,
        state.seconds,
        val.name,
        means,
        plan.method.epoch_values(),
    )
    state.history.append(epoch)
    last = snapshot(work.evaluated)
    if state.best_val is None or val.at_least_as_good_as(state.best_val):
        state.best_val, state.best_epoch, state.best = val, state.epoch, last
    _write_files(work, last)
    plan.meter.note(
        f"epoch {state.epoch}/{plan.recipe.epochs}, val {val.brief}",
        values={name: value for name, value in epoch.to_row().items() if name != "epoch"},
        epoch=state.epoch,
    )


def _means(work: Prepared) -> dict[str, float]:
    """Return the mean of every loss over its player's updates in the epoch."""
    means: dict[str, float] = {}
    steps = work.plan.batches.steps
    for player, sums in work.state.sums.items():
        every, done = work.players[player].every, work.state.epoch * steps
        turns = sum((done + step) % every == 0 for step in range(steps))
        means |= {_named(player, name): total / turns for name, total in sums.items()}
    return means


def _named(player: str, loss: str) -> str:
    """Return the column name of a loss, which has the player's name as prefix if not student."""
    return loss if player == STUDENT else f"{player}.{loss}"


def _save(work: Prepared, clock: Clock) -> None:
    """Write a checkpoint."""
    plan = work.plan
    work.state.seconds = clock.seconds
    if plan.folder is not None and plan.accelerator.is_main_process:
        parts = {name: item.state_dict() for name, item in work.stateful.items()}
        save_checkpoint(plan.folder, work.state, of=plan.fingerprint, parts=parts)


def _write_files(work: Prepared, last: Mapping[str, Tensor]) -> None:
    """Write the weights of the last epoch and of the best one, and the table of metrics."""
    folder = work.plan.folder if work.plan.accelerator.is_main_process else None
    TrainingFiles(folder).write(last, work.state.best, work.state.history)
