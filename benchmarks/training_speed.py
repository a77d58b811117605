"""Overhead of the training loop over the networks: waiting for data, and the rest."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F

from diswot.devices import find_device
from diswot.losses import kd_loss
from diswot.progress import Progress, tracked
from diswot.seeding import torch_seed
from diswot.tasks.images import ImageData, augmentation, load_data
from diswot.tasks.images.teachers import find_teacher
from diswot.training import Recipe, parse_objective, train
from search_spaces import ResNetDepthSpace

LOSS = "0.1*ce + 0.9*kd(T=4)"
FEW = 64
"""Images of the evaluated splits, which is not timed."""


@dataclass(frozen=True)
class TrainingSpeedSettings:
    """Settings of the timing.

    Attributes:
        augmentations: levels, each timed alone.
        teacher: a built-in name.
        student: an architecture of S0.
        batch_size: images of a step.
        steps: of the loop, and of the bare loop, in each round.
        rounds: after one that is not counted.
        data: a dataset's name.
        data_root: where it lies.
        device: where to compute; by default a GPU where there is one.
    """

    augmentations: tuple[str, ...] = ("none", "standard", "strong")
    teacher: str = "resnet56"
    student: str = "3-3-3"
    batch_size: int = 64
    steps: int = 20
    rounds: int = 5
    data: str = "cifar100"
    data_root: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class TrainingSpeed:
    """Milliseconds of a step, medians over rounds, and their ratios.

    Attributes:
        augment: level of augmentation; with `none` the loop does not run the teacher,
            whose outputs it keeps.
        device: where it was computed.
        bare_ms: teacher and student forward, student backward, step of the optimizer, on
            a batch that lies ready.
        step_ms: the same by the training loop, data and all.
        batch_ms: taking, augmenting and normalizing a batch.
        waiting: of a step, batch_ms / step_ms; median of the rounds' ratios.
        overhead: step_ms / bare_ms, the same way.
    """

    augment: str
    device: str
    bare_ms: float
    step_ms: float
    batch_ms: float
    waiting: float
    overhead: float


def training_speed(settings: TrainingSpeedSettings, progress: Progress) -> list[TrainingSpeed]:
    """Time each level of augmentation, the three loops in turn in every round."""
    device = find_device(settings.device)
    data = _enough(load_data(settings.data, root=settings.data_root), settings)
    found_teacher = find_teacher(settings.teacher, data.spec)
    teacher = found_teacher.initialized(0).to(device).eval()
    levels = tracked(settings.augmentations, progress, "train", len(settings.augmentations))
    return [_level(level, settings, data, teacher, device) for level in levels]


def _level(
    level: str, settings: TrainingSpeedSettings, data: ImageData, teacher: nn.Module, device: str
) -> TrainingSpeed:
    recipe = Recipe(epochs=1, batch_size=settings.batch_size, augment=level)
    rounds = []
    for number in range(settings.rounds + 1):
        student = _student(settings, data).to(device)
        report = train(
            student,
            data,
            objective=parse_objective(LOSS),
            recipe=replace(recipe, seed=number),
            teachers={"teacher": teacher},
            device=device,
        )
        step = settings.batch_size / report.history[0].examples_per_second
        rounds.append((_bare(settings, data, teacher, device), step, _batch(recipe, data, device)))
    bare, step, batch = (1e3 * median(column) for column in zip(*rounds[1:], strict=True))
    return TrainingSpeed(
        level,
        device,
        bare,
        step,
        batch,
        waiting=median(batch / step for _, step, batch in rounds[1:]),
        overhead=median(step / bare for bare, step, _ in rounds[1:]),
    )


def _enough(data: ImageData, settings: TrainingSpeedSettings) -> ImageData:
    """Return data with as many training images as the steps need, and few others."""
    indices = torch.arange(settings.batch_size * settings.steps) % len(data.train)
    few = torch.arange(FEW)
    return replace(
        data, train=data.train.take(indices), val=data.val.take(few), test=data.test.take(few)
    )


def _student(settings: TrainingSpeedSettings, data: ImageData) -> nn.Module:
    space = ResNetDepthSpace(in_channels=data.shape[0])
    with torch_seed(0):
        return space.build(space.from_string(settings.student), data.num_classes)


def _bare(
    settings: TrainingSpeedSettings, data: ImageData, teacher: nn.Module, device: str
) -> float:
    """Return seconds per step of a minimal distillation loop."""
    student = _student(settings, data).to(device).train()
    optimizer = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    batch = data.train.take(torch.arange(settings.batch_size))
    images, labels = data.normalize(batch.images.to(device)), batch.labels.to(device)

    def step() -> None:
        with torch.no_grad():
            wanted = teacher(images)
        output = student(images)
        loss = 0.1 * F.cross_entropy(output, labels) + 0.9 * kd_loss(output, wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return _seconds(step, settings.steps, device)


def _batch(recipe: Recipe, data: ImageData, device: str) -> float:
    """Return seconds of preparing one batch."""
    augment = augmentation(data, recipe.augment)
    order = iter(torch.randperm(len(data.train)).view(-1, recipe.batch_size))

    def take() -> None:
        images = data.train.take(next(order)).images
        data.normalize(augment(images.to(device).float()))

    return _seconds(take, len(data.train) // recipe.batch_size, device)


def _seconds(work: Callable[[], object], times: int, device: str) -> float:
    started = time.perf_counter()
    for _ in range(times):
        work()
    if device != "cpu":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - started) / times
