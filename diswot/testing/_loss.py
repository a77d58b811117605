"""The contract of losses."""

import copy
import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from diswot.losses import Criterion, Losses, TrainingBatch, parse_objective
from diswot.networks import ActivationReader, Activations
from diswot.testing._networks import (
    CLASSES,
    IMAGES,
    example_images,
    example_labels,
    require,
    small_student,
    small_teacher,
)

SEED = 0


def check_loss(loss: str, *, targets: Any = None) -> None:
    """Check the contract of a loss, with two small residual networks.

    The loss is a finite scalar; gradients reach the student and all trainable parts of the loss,
    but not the teacher; its state dict restores everything that it has learned; and a term
    whose card has a minimum (`least`) has this value if student and teacher are equal.

    Args:
        loss: name of a term, or an expression.
        targets: targets of the batch of 8 images of 4 classes, for losses of other tasks; by
            default the class probabilities, (8, 4).

    Raises:
        AssertionError: a rule is broken; the message names it.

    Examples:
        >>> check_loss("ce + 0.9*kd(T=4)")
        >>> import diswot.tasks.image_text
        >>> check_loss("text_ce", targets={"texts": {"en": torch.eye(4)}})
    """
    student, teacher = small_student().eval(), small_teacher().eval()
    criterion, batch = _built(loss, student, teacher), _batch(targets)
    result = _value(criterion, student, teacher, batch=batch)
    total = float(result.total.detach())
    require(math.isfinite(total), f"{loss}: is finite, but is {total}")
    result.total.backward()  # type: ignore[no-untyped-call]
    # 1. Gradients, 2. saving and restoring, 3. the minimum that the card declares.
    _check_gradients(loss, student, teacher, criterion)
    _check_state(loss, student, teacher, criterion, batch=batch)
    _check_least(loss, teacher, batch=batch)


def _batch(targets: Any) -> TrainingBatch:
    labels = example_labels()
    if targets is None:
        targets = F.one_hot(labels, CLASSES).float()
    return TrainingBatch(targets, labels, torch.arange(IMAGES))


def _check_gradients(
    loss: str, student: nn.Module, teacher: nn.Module, criterion: nn.Module
) -> None:
    reached = [item.grad for item in student.parameters() if item.grad is not None]
    require(
        any(bool(gradient.any()) for gradient in reached), f"{loss}: gradients reach the student"
    )
    require(
        all(item.grad is None for item in teacher.parameters()),
        f"{loss}: no gradient reaches the teacher",
    )
    trained = [item for item in criterion.parameters() if item.requires_grad]
    require(
        all(item.grad is not None for item in trained),
        f"{loss}: gradients reach all parameters trained with the student",
    )
    gradients = [*reached, *(item.grad for item in trained if item.grad is not None)]
    require(
        all(bool(gradient.isfinite().all()) for gradient in gradients),
        f"{loss}: gradients are finite",
    )


def _check_state(
    loss: str,
    student: nn.Module,
    teacher: nn.Module,
    learned: Criterion,
    *,
    batch: TrainingBatch,
) -> None:
    # Another seed: projections that are not in the state would differ.
    restored = _built(loss, student, teacher, seed=SEED + 1)
    restored.load_state_dict(learned.state_dict())
    require(not restored.needs_preparation, f"{loss}: a restored state needs no preparation")
    ours, theirs = (
        _value(item, student, teacher, batch=batch).total.detach() for item in (learned, restored)
    )
    require(torch.equal(ours, theirs), f"{loss}: its state is all that it has learned")


def _check_least(loss: str, teacher: nn.Module, *, batch: TrainingBatch) -> None:
    parts = parse_objective(loss).parts
    least = [part.kind.card.least for part in parts]
    if len(parts) != 1 or least[0] is None:
        return
    # A student that equals the teacher must reach the declared minimum.
    twin = copy.deepcopy(teacher)
    built = _built(loss, twin, teacher)
    result = float(_value(built, twin, teacher, batch=batch).total.detach())
    expected = parts[0].weight * least[0]
    require(
        abs(result - expected) <= 1e-5 * max(1.0, abs(parts[0].weight)),
        f"{loss}: is {expected} where the student equals the teacher, but is {result}",
    )


def _built(loss: str, student: nn.Module, teacher: nn.Module, *, seed: int = SEED) -> Criterion:
    criterion = parse_objective(loss).build(
        student, teacher, example_images(), outputs=CLASSES, train_examples=IMAGES, seed=seed
    )
    if criterion.needs_preparation:
        with ActivationReader(teacher, watches=criterion.teacher_watches) as read:
            with torch.no_grad():
                activations = read(example_images())
            criterion.prepare([activations])
    return criterion


def _value(
    criterion: Criterion, student: nn.Module, teacher: nn.Module, *, batch: TrainingBatch
) -> Losses:
    wanted = _read(teacher, criterion.teacher_watches)
    torch.manual_seed(SEED)
    result: Losses = criterion(_read(student, criterion.student_watches), wanted, batch)
    return result


def _read(network: nn.Module, watches: tuple[object, ...]) -> Activations:
    with ActivationReader(network, watches=watches) as read:  # type: ignore[arg-type]
        return read(example_images())
